//! Documentation examples that are written once and run with both APIs.

/// Generates the documentation of an example from its lines, in which `await` stands for `.await` and
/// `async` for an async block; the blocking API leaves both out.
///
/// `standard` before the lines starts the sandbox that follows the RFCs instead of the WATS one.
///
/// Each API passes its own words, so the two texts differ in `async` and `.await` only.
macro_rules! written_once {
    (api: $api:literal, main: $main:literal, fn: $fn:literal, async: $async:literal, await: $await:literal, lines: standard $($line:tt)*) => {
        $crate::example::written_once!(
            api: $api, main: $main, fn: $fn, async: $async, await: $await,
            sandbox: "StandardSandbox", lines: $($line)*
        )
    };
    (api: $api:literal, main: $main:literal, fn: $fn:literal, async: $async:literal, await: $await:literal, lines: $($line:tt)*) => {
        $crate::example::written_once!(
            api: $api, main: $main, fn: $fn, async: $async, await: $await, sandbox: "Sandbox", lines: $($line)*
        )
    };
    (
        api: $api:literal, main: $main:literal, fn: $fn:literal, async: $async:literal, await: $await:literal,
        sandbox: $sandbox:literal, lines: $($line:tt)*
    ) => {
        concat!(
            "```\n",
            "# #[allow(unused_imports)]\n",
            "# use wats_scim::", $api, "::{DynHttpClient, DynScimRepository, DynScimService, ScimClient, ScimRepository, ScimService};\n",
            "# use wats_scim_sandbox::", $sandbox, ";\n",
            "# #[allow(unused_imports)]\n",
            "# use wats_scim::{Credentials, ErrorKind, Filter, ListQuery, RetryPolicy, ScimConfig, ScimGroup, ScimMember, ScimPatchRequest, ScimUser, ScimWrite, Target};\n",
            "# #[allow(unused_imports)]\n",
            "# use wats_scim::plan::{AppliedStep, Leavers, Policy};\n",
            "# #[allow(dead_code)]\n",
            "# ", $fn, " a_user(client: &ScimClient) -> wats_scim::Result<String> {\n",
            "#     let user = client.create_user(&ScimUser::new(\"a.user@example.com\"))", $await, "?;\n",
            "#     Ok(user.require_id()?.to_owned())\n",
            "# }\n",
            "# ", $main, "() -> Result<(), Box<dyn std::error::Error>> {\n",
            "# let sandbox = ", $sandbox, "::builder().users(3).start()?;\n",
            "let client = ScimClient::new(sandbox.base_url(), Credentials::wats_token(sandbox.token()))?;\n",
            $($crate::example::written_once!(@ $async $await $line)),*,
            "\n# Ok(())\n# }\n```",
        )
    };
    (@ $async:literal $await:literal async) => { $async };
    (@ $async:literal $await:literal await) => { $await };
    (@ $async:literal $await:literal $line:literal) => { $line };
}

pub(crate) use written_once;
