//! What each promise assumes of the server: the table of SECURITY.md, which a test compares.

use crate::setting::Setting;

/// What the crate promises of writes, lists and plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    Applied,
    NotApplied,
    Once,
    Complete,
    Reached,
    Kept,
}

/// When a promise holds on a server of some kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// The server keeps names unique.
    NamesAreUnique,
    /// The server neither applies a request late nor shows an old state.
    ReadsAreTrue,
}

use When::{Always, NamesAreUnique, ReadsAreTrue};

/// The promises, with when each holds on a server that applies requests late, that shows old states, that
/// does not keep names unique, and that has no versions.
const TABLE: [(Promise, &str, [When; 4]); 6] = [
    (Promise::Applied, "What is reported as applied was applied", [Always; 4]),
    (Promise::NotApplied, "What is reported as not applied never is", [Always; 4]),
    (Promise::Once, "A creation is applied once", [NamesAreUnique, NamesAreUnique, ReadsAreTrue, Always]),
    (Promise::Complete, "A list that ends has all that was there all the time", [Always; 4]),
    (
        Promise::Reached,
        "An apply that is resumed does what is left, and the next plan is empty",
        [NamesAreUnique, NamesAreUnique, ReadsAreTrue, Always],
    ),
    (Promise::Kept, "What another writer has changed, and a step has read, is not overwritten", [Always; 4]),
];

/// Whether a promise holds in a world.
pub fn holds(promise: Promise, setting: &Setting) -> bool {
    let kind = &setting.kind;
    let (is_late, is_old) = (setting.is_late, !kind.lag.is_zero());
    let is_so = [is_late, is_old, kind.allows_twins, kind.has_no_versions];
    TABLE.iter().filter(|(of, ..)| *of == promise).all(|(_, _, when)| {
        when.iter().zip(is_so).all(|(when, is_so)| {
            !is_so
                || match when {
                    Always => true,
                    NamesAreUnique => !kind.allows_twins,
                    ReadsAreTrue => !is_late && !is_old,
                }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as SECURITY.md has it.
    #[test]
    fn the_table_of_the_security_policy_is_the_one_that_the_judge_holds() {
        let mut table = String::from(
            "| promise | a request is applied late | reads are old | names are not unique | no versions |\n|---|---|---|---|---|\n",
        );
        for (_, promise, when) in TABLE {
            let cells = when.map(|when| match when {
                Always => "holds",
                NamesAreUnique => "if names are unique",
                ReadsAreTrue => "if neither",
            });
            table.extend(["| ", promise, " | ", &cells.join(" | "), " |\n"]);
        }
        let policy = include_str!("../../../SECURITY.md");
        assert!(policy.contains(&table), "SECURITY.md should have this table:\n{table}");
    }
}
