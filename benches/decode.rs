//! The time to decode a page of a hundred users, relative to a plain serde derive that drops
//! unknown attributes.

mod support;

use std::hint::black_box;

use support::cost::{cpu, ratio};
use support::figures::{Goal, show};
use support::{Result, by_hand, full_or_short, users};
use wats_scim::ScimListResponse;

fn main() -> Result<()> {
    let page = users::page();
    let (rounds, decodings) = full_or_short((501, 20), (3, 2));
    let figure = ratio(
        rounds,
        || {
            cpu(|| {
                for _ in 0..decodings {
                    black_box(serde_json::from_slice::<ScimListResponse>(black_box(&page))?);
                }
                Ok(())
            })
        },
        || {
            cpu(|| {
                for _ in 0..decodings {
                    black_box(serde_json::from_slice::<by_hand::PlainPage>(black_box(&page))?);
                }
                Ok(())
            })
        },
    )?;
    show("decode.list_page", figure, &Goal::AtMost(1.0));
    Ok(())
}
