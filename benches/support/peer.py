"""Does with scim2-client what a bench asks for, and says what it cost.

    peer.py sync|async BASE

Each line read is a piece of work: `get COUNT`, `list COUNT` (pages of a hundred users), `create
COUNT`, or `walk USERS` (a whole directory, page after page). Each is answered with a line: the
processor time of this process and the time on the clock that it took, in seconds.
"""

import asyncio
import sys
import time

from httpx2 import AsyncClient, Client
from scim2_client.engines.httpx2 import AsyncSCIMClient, SyncSCIMClient
from scim2_models import Email, EnterpriseUser, Name, ResourceType, ScimProvider, SearchRequest, User

FullUser = User[EnterpriseUser]
HEADERS = {"Authorization": "Bearer c2VjcmV0"}
ID = "2819c223-7f76-453a-919d-413860000007"
PAGE = 100


def provider():
    return ScimProvider(
        models=[User, EnterpriseUser],
        resource_types=[ResourceType.from_resource(FullUser)],
    )


def page(start):
    return SearchRequest(start_index=start, count=PAGE)


def jane():
    return FullUser(
        user_name="jane@example.com",
        name=Name(given_name="Jane", family_name="Doe"),
        display_name="Jane Doe",
        emails=[Email(value="jane@example.com", type="work", primary=True)],
        external_id="4711",
    )


def expect(as_asked):
    if not as_asked:
        raise SystemExit("the server did not give what was asked for")


def starts(what, count):
    """Where the pages begin that a piece of work reads."""
    return range(1, count + 1, PAGE) if what == "walk" else [1] * count


def work(scim, what, count):
    if what == "get":
        for _ in range(count):
            expect(scim.query(FullUser, ID).id == ID)
    elif what == "create":
        user = jane()
        for _ in range(count):
            expect(scim.create(user).id)
    else:
        for start in starts(what, count):
            expect(len(scim.query(FullUser, query_parameters=page(start)).resources) == PAGE)


async def work_async(scim, what, count):
    if what == "get":
        for _ in range(count):
            expect((await scim.query(FullUser, ID)).id == ID)
    elif what == "create":
        user = jane()
        for _ in range(count):
            expect((await scim.create(user)).id)
    else:
        for start in starts(what, count):
            found = await scim.query(FullUser, query_parameters=page(start))
            expect(len(found.resources) == PAGE)


def main():
    face, base = sys.argv[1:]
    with asyncio.Runner() as runner:
        # What the environment says of proxies does not matter on a loopback address.
        settings = {"base_url": base, "headers": HEADERS, "trust_env": False}
        if face == "sync":
            scim = SyncSCIMClient(Client(**settings), provider=provider())
        else:
            scim = AsyncSCIMClient(AsyncClient(**settings), provider=provider())
        for line in sys.stdin:
            what, count = line.split()
            cpu, clock = time.process_time(), time.perf_counter()
            if face == "sync":
                work(scim, what, int(count))
            else:
                runner.run(work_async(scim, what, int(count)))
            print(time.process_time() - cpu, time.perf_counter() - clock, flush=True)


if __name__ == "__main__":
    main()
