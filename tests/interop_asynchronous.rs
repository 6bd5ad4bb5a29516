//! The interop suite with the async API.

use maybe_async::must_be_async as maybe_async;
use tokio::test;
use wats_scim::asynchronous::ScimClient;

mod interop;

use interop::Server;

fn server() -> Server {
    Server::started()
}
