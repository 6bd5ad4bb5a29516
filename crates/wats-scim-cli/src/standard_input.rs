//! Standard input to its end: the source of a plan, users, or a list of names.

use std::io::Read as _;

use crate::context::Context;
use crate::failure::Failure;

/// # Errors
///
/// [`Failure::Usage`] if it is the token.
pub(crate) fn read(context: &Context) -> Result<Vec<u8>, Failure> {
    if context.global.server.token_stdin {
        let message = "standard input is the token, so `-` cannot be read from it too; give --token-file";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::Other(format!("standard input cannot be read: {error}")))?;
    Ok(bytes)
}
