//! The interop suite with the blocking API.

use core::prelude::v1::test;

use maybe_async::must_be_sync as maybe_async;
use wats_scim::blocking::ScimClient;

mod interop;

use interop::Server;

fn server() -> Server {
    Server::started()
}
