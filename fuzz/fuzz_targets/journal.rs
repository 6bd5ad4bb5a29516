//! A journal from disk: a step is done only if a whole line says so, and what is appended is read again.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use wats_scim::fuzzing::{journal, record_in_journal};
use wats_scim::plan::{Current, Journal, Plan, Policy};
use wats_scim::{Profile, ScimUser};

fuzz_target!(|input: (bool, &[u8])| {
    let (is_whole_file, bytes) = input;
    let path = std::env::temp_dir().join(format!("wats-scim-fuzz-{}.journal", std::process::id()));
    // Few random files begin as a journal does.
    let text = if is_whole_file { bytes.to_vec() } else { [HEAD.as_bytes(), bytes].concat() };
    fs::write(&path, &text).unwrap();
    let stored = Journal::at(&path).plan();
    let plan = stored.as_ref().ok().and_then(Option::as_ref).unwrap_or(&PLAN);
    let opened = journal(&path, plan);
    assert_eq!(opened.is_ok(), stored.is_ok());
    let Ok(done) = opened else {
        assert_eq!(fs::read(&path).unwrap(), text, "what is no journal is left alone");
        return;
    };
    assert_eq!(done.len(), plan.steps.len());
    for (step, _) in done.iter().enumerate().filter(|(_, is_done)| **is_done) {
        assert!(says_done(&text, step), "no line says that step {step} is done");
    }

    let Some(last) = plan.steps.len().checked_sub(1) else { return };
    record_in_journal(&path, plan, last).unwrap();
    let mut after = done;
    after[last] = true;
    assert_eq!(journal(&path, plan).unwrap(), after);
    assert_eq!(Journal::at(&path).plan().unwrap().as_ref(), Some(plan));
});

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let users = ["ann", "bob", "jane"].map(ScimUser::new);
    Policy::new(&Profile::standard()).plan(&Current::complete(Vec::new()), &users).unwrap()
});

/// The first line of a journal of the plan.
static HEAD: LazyLock<String> = LazyLock::new(|| {
    format!("{{\"format\":\"wats-scim-journal/1\",\"plan\":{}}}\n", serde_json::to_string(&*PLAN).unwrap())
});

#[derive(Deserialize)]
struct Line {
    step: usize,
    state: String,
}

fn says_done(text: &[u8], step: usize) -> bool {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |last| &text[..last]);
    let lines = whole.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    lines.filter(|line| line.step == step).any(|line| line.state == "applied" || line.state == "unneeded")
}
