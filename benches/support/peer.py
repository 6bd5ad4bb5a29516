"""Does with scim2-client what a bench asks for, and says what it cost.

    peer.py sync|async BASE

Each line read is a piece of work: `get COUNT`, `list COUNT` (pages of a hundred users), `create
COUNT`, `walk USERS` (a whole directory, page after page), or `sync USERS` (reads a whole directory,
and changes one user in a hundred, who differs), each followed by the number of requests in flight.
scim2-client has nothing for several requests at once, so with `sync` there is always one, and with
`async` they are tasks of asyncio. Each is answered with a line: the processor time of this process
and the time on the clock that it took, in seconds.
"""

import asyncio
import sys
import time

from httpx2 import AsyncClient, Client, Limits
from scim2_client.engines.httpx2 import AsyncSCIMClient, SyncSCIMClient
from scim2_models import (
    Email,
    EnterpriseUser,
    Name,
    PatchOp,
    PatchOperation,
    ResourceType,
    ScimProvider,
    SearchRequest,
    User,
)

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


def wanted(users):
    """The users of another system by their `externalId`; one in a hundred has another name."""
    return {
        f"E{number:07}": FullUser(
            user_name=f"user{number:07}@example.com",
            name=Name(given_name="Jane", family_name="Roe" if number % PAGE == 3 else "Doe"),
            display_name="Jane Doe",
            active=True,
            emails=[Email(value=f"user{number:07}@example.com", type="work", primary=True)],
        )
        for number in range(1, users + 1)
    }


def expect(as_asked):
    if not as_asked:
        raise SystemExit("the server did not give what was asked for")


def starts(what, count):
    """Where the pages begin that a piece of work reads."""
    return [1] * count if what == "list" else range(1, count + 1, PAGE)


def changes(users, desired):
    """The id of each user that differs, and its patch."""
    for user in users:
        wanted = desired[user.external_id]
        operations = [
            PatchOperation(op="replace", path=path, value=getattr(wanted, attribute))
            for attribute, path in (
                ("name", "name"),
                ("display_name", "displayName"),
                ("active", "active"),
                ("emails", "emails"),
            )
            if getattr(user, attribute) != getattr(wanted, attribute)
        ]
        if operations:
            yield user.id, PatchOp[FullUser](operations=operations)


def work(scim, what, count, desired):
    if what == "get":
        for _ in range(count):
            expect(scim.query(FullUser, ID).id == ID)
    elif what == "create":
        user = jane()
        for _ in range(count):
            expect(scim.create(user).id)
    else:
        pages = (scim.query(FullUser, query_parameters=page(start)).resources for start in starts(what, count))
        users = []
        for found in pages:
            expect(len(found) == PAGE)
            if what == "sync":
                users += found
        if what == "sync":
            done = [scim.modify(FullUser, id, patch) for id, patch in changes(users, desired)]
            expect(len(done) == count // PAGE)


async def at_once(in_flight, calls):
    """What the calls give, with so many of them in flight."""
    if in_flight == 1:
        return [await call for call in calls]
    room = asyncio.Semaphore(in_flight)

    async def one(call):
        async with room:
            return await call

    return await asyncio.gather(*map(one, calls))


async def work_async(scim, what, count, desired, in_flight):
    if what == "get":
        for _ in range(count):
            expect((await scim.query(FullUser, ID)).id == ID)
    elif what == "create":
        user = jane()
        created = await at_once(in_flight, (scim.create(user) for _ in range(count)))
        expect(all(user.id for user in created))
    else:
        pages = (scim.query(FullUser, query_parameters=page(start)) for start in starts(what, count))
        pages = [found.resources for found in await at_once(in_flight, pages)]
        expect(all(len(found) == PAGE for found in pages))
        if what == "sync":
            users = (user for found in pages for user in found)
            patches = (scim.modify(FullUser, id, patch) for id, patch in changes(users, desired))
            expect(len(await at_once(in_flight, patches)) == count // PAGE)


def main():
    api, base = sys.argv[1:]
    with asyncio.Runner() as runner:
        # What the environment says of proxies does not matter on a loopback address.
        settings = {"base_url": base, "headers": HEADERS, "trust_env": False}
        if api == "sync":
            scim = SyncSCIMClient(Client(**settings), provider=provider())
        else:
            # Connections are kept for all requests in flight.
            scim = AsyncSCIMClient(AsyncClient(**settings, limits=Limits()), provider=provider())
        for line in sys.stdin:
            what, count, in_flight = line.split()
            count = int(count)
            desired = wanted(count) if what == "sync" else {}
            cpu, clock = time.process_time(), time.perf_counter()
            if api == "sync":
                work(scim, what, count, desired)
            else:
                runner.run(work_async(scim, what, count, desired, int(in_flight)))
            print(time.process_time() - cpu, time.perf_counter() - clock, flush=True)


if __name__ == "__main__":
    main()
