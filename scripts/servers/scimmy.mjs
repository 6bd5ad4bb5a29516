// A SCIM server made of scimmy and Express, in memory and empty. `scripts/scimmy` starts it:
//
//     NODE_PATH=NODE_MODULES SCIM_TOKEN=TOKEN node scimmy.mjs PORT
//
// Only what scimmy leaves to its user is here: to keep users and groups, and to know the token.
// Schemas, filters, sorting, pages, patches, Bulk and every other error are scimmy's own.

import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

// Unlike `import`, `require` looks below NODE_PATH.
const require = createRequire(import.meta.url);
const express = require("express");
const { SCIMMY, SCIMMYRouters } = require("scimmy-routers");

const { User, Group } = SCIMMY.Resources;
const ScimError = SCIMMY.Types.Error;

const HOST = "127.0.0.1";
const PATH = "/scim/v2";
const port = Number(process.argv[2]);
const token = process.env.SCIM_TOKEN;
if (!Number.isInteger(port) || !token) {
    console.error("usage: SCIM_TOKEN=TOKEN node scimmy.mjs PORT");
    process.exit(2);
}

/** The resources of one type by their ids, in the order of their creation. */
class Store {
    #kept = new Map();

    all() {
        return [...this.#kept.values()];
    }

    get(id) {
        const resource = this.#kept.get(id);
        if (!resource) throw new ScimError(404, null, `Resource ${id} not found`);
        return resource;
    }

    /** Creates the resource, or replaces the one with this id. */
    put(id, attributes) {
        const now = new Date().toISOString();
        const created = id ? this.get(id).meta.created : now;
        const resource = { ...attributes, id: id ?? randomUUID(), meta: { created, lastModified: now } };
        this.#kept.set(resource.id, resource);
        return resource;
    }

    delete(id) {
        this.get(id);
        this.#kept.delete(id);
    }
}

const users = new Store();
const groups = new Store();

/** What scimmy has read, as plain JSON. */
const plain = (instance) => JSON.parse(JSON.stringify(instance));

/** A user as it is shown: with the groups it is in, which belong to the groups. */
function shown(user) {
    const memberships = groups
        .all()
        .filter((group) => group.members?.some((member) => member.value === user.id))
        .map((group) => ({ value: group.id, display: group.displayName, type: "direct" }));
    return memberships.length ? { ...user, groups: memberships } : user;
}

/** One resource, or those that the filter matches; scimmy takes the page out of them. */
function read(resource, store, show) {
    if (resource.id) return show(store.get(resource.id));
    const all = store.all().map(show);
    return resource.filter ? resource.filter.match(all) : all;
}

function writeUser(resource, instance) {
    const user = plain(instance);
    const name = user.userName.toLowerCase();
    const taken = users.all().some((other) => other.id !== resource.id && other.userName.toLowerCase() === name);
    if (resource.id) users.get(resource.id);
    if (taken) throw new ScimError(409, "uniqueness", `userName '${user.userName}' is taken`);
    return shown(users.put(resource.id, user));
}

function deleteUser(resource) {
    users.delete(resource.id);
    for (const { id, meta, members, ...group } of groups.all()) {
        const others = members?.filter((member) => member.value !== resource.id);
        if (others?.length !== members?.length) groups.put(id, { ...group, members: others });
    }
}

function writeGroup(resource, instance) {
    const group = plain(instance);
    // A member is in a group once, however often it was added.
    const members = new Map((group.members ?? []).map((member) => [member.value, member]));
    return groups.put(resource.id, members.size ? { ...group, members: [...members.values()] } : group);
}

SCIMMY.Resources.declare(User.extend(SCIMMY.Schemas.EnterpriseUser, false))
    .ingress(writeUser)
    .egress((resource) => read(resource, users, shown))
    .degress(deleteUser);
SCIMMY.Resources.declare(Group)
    .ingress(writeGroup)
    .egress((resource) => read(resource, groups, (group) => group))
    .degress((resource) => groups.delete(resource.id));

const routers = new SCIMMYRouters({
    type: "bearer",
    handler(request) {
        const [scheme, given] = (request.header("Authorization") ?? "").split(" ");
        if (scheme.toLowerCase() !== "bearer" || given !== token) throw new Error("The bearer token is wrong");
        // It belongs to no user: there is no /Me.
    },
});

express()
    .use(PATH, routers)
    .listen(port, HOST, () => console.log(`Serving SCIM on http://${HOST}:${port}${PATH}`));
