// An OAuth 2.0 server made of oidc-provider, in memory. `scripts/oidc` starts it:
//
//     OIDC_MODULES=NODE_MODULES OIDC_KEY=FILE node oidc.mjs PORT
//
// It has three clients, one for each way to prove itself, and writes the private key of the last one to
// OIDC_KEY. Tokens live for 2 s. `GET /issued` lists when tokens were issued, in milliseconds; that, and the
// configuration, is all that is here.

import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const LIFETIME = 2;
const HOST = "127.0.0.1";
const port = Number(process.argv[2]);
const { OIDC_MODULES: modules, OIDC_KEY: keyFile } = process.env;
if (!Number.isInteger(port) || !modules || !keyFile) {
    console.error("usage: OIDC_MODULES=NODE_MODULES OIDC_KEY=FILE node oidc.mjs PORT");
    process.exit(2);
}
// Unlike `require`, `import` does not look below NODE_PATH.
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`).href);

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
writeFileSync(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" };

const client = (id, settings) => ({
    client_id: id,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    ...settings,
});

const issuer = `http://${HOST}:${port}`;
const provider = new Provider(issuer, {
    scopes: ["scim"],
    clients: [
        client("by-header", { client_secret: "canary-header", token_endpoint_auth_method: "client_secret_basic" }),
        client("by-body", { client_secret: "canary-body", token_endpoint_auth_method: "client_secret_post" }),
        client("by-key", { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] } }),
    ],
    features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
            enabled: true,
            defaultResource: () => "urn:scim",
            getResourceServerInfo: () => ({
                scope: "scim",
                audience: "scim",
                accessTokenTTL: LIFETIME,
                accessTokenFormat: "opaque",
            }),
        },
    },
    ttl: { ClientCredentials: LIFETIME },
});

const issued = [];
provider.on("client_credentials.saved", () => issued.push(Date.now()));
provider.on("server_error", (_, error) => console.error(error));

const answer = provider.callback();
createServer((request, response) => {
    if (request.url === "/issued") response.end(JSON.stringify(issued));
    else answer(request, response);
}).listen(port, HOST, () => console.log(`Issuing tokens at ${issuer}/token`));
