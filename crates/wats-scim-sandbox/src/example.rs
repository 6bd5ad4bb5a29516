//! Documentation examples that are written once for both servers.

/// Generates the documentation of an example, with a hidden function that sends one request over TCP.
///
/// The visible lines are the arguments, which can include the name of the server.
macro_rules! example {
    ($server:literal: $($part:expr),* $(,)?) => {
        concat!(
            "```\n",
            "# #[allow(unused_imports)]\n",
            "use wats_scim_sandbox::", $server, ";\n",
            "# #[allow(dead_code)]\n",
            "# fn send(method: &str, url: &str, token: &str, body: &str) -> std::io::Result<String> {\n",
            "#     use std::io::{Read, Write};\n",
            "#     let url = url.trim_start_matches(\"http://\");\n",
            "#     let (address, path) = url.split_once('/').unwrap_or((url, \"\"));\n",
            "#     let mut stream = std::net::TcpStream::connect(address)?;\n",
            "#     let length = body.len();\n",
            "#     let request = format!(\n",
            "#         \"{method} /{path} HTTP/1.1\\r\\nHost: {address}\\r\\nAuthorization: Basic {token}\\r\\n\\\n",
            "#          Connection: close\\r\\nContent-Length: {length}\\r\\n\\r\\n{body}\"\n",
            "#     );\n",
            "#     stream.write_all(request.as_bytes())?;\n",
            "#     let mut answer = String::new();\n",
            "#     stream.read_to_string(&mut answer)?;\n",
            "#     Ok(answer)\n",
            "# }\n",
            "\n",
            $($part),*,
            "\n# Ok::<(), std::io::Error>(())\n```",
        )
    };
}

pub(crate) use example;
