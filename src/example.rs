//! Documentation examples that are written once and run in both faces.

/// The documentation of an example: its lines, with `await` where the async face waits.
///
/// With `standard` before the lines, the server is not WATS but one that keeps to the RFCs.
///
/// Each face calls it with its own words, so that the text differs in `.await` alone.
macro_rules! written_once {
    (face: $face:literal, main: $main:literal, fn: $fn:literal, await: $await:literal, lines: standard $($line:tt)*) => {
        $crate::example::written_once!(
            face: $face, main: $main, fn: $fn, await: $await,
            sandbox: "StandardSandbox", lines: $($line)*
        )
    };
    (face: $face:literal, main: $main:literal, fn: $fn:literal, await: $await:literal, lines: $($line:tt)*) => {
        $crate::example::written_once!(
            face: $face, main: $main, fn: $fn, await: $await, sandbox: "Sandbox", lines: $($line)*
        )
    };
    (
        face: $face:literal, main: $main:literal, fn: $fn:literal, await: $await:literal,
        sandbox: $sandbox:literal, lines: $($line:tt)*
    ) => {
        concat!(
            "```\n",
            "# use wats_scim::", $face, "::{ScimClient};\n",
            "# use wats_scim_sandbox::", $sandbox, ";\n",
            "# #[allow(unused_imports)]\n",
            "# use wats_scim::{Credentials, ErrorKind, Filter, ListQuery, ScimGroup, ScimMember, ScimPatchRequest, ScimUser, ScimWrite, Target};\n",
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
            $($crate::example::written_once!(@ $await $line)),*,
            "\n# Ok(())\n# }\n```",
        )
    };
    (@ $await:literal await) => { $await };
    (@ $await:literal $line:literal) => { $line };
}

pub(crate) use written_once;
