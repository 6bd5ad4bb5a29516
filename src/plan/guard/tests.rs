use super::*;
use crate::config::Profile;
use crate::plan::{Current, Desired, DesiredGroup, Policy, Reference};

fn users(numbers: impl IntoIterator<Item = usize>) -> Vec<ScimUser> {
    let user = |n: usize| ScimUser::new(format!("user{n:05}")).with_external_id(n.to_string()).with_active(true);
    numbers.into_iter().map(user).collect()
}

fn policy() -> Policy {
    Policy::new(&Profile::standard())
}

/// What guards against the damage, and how many would be deactivated without it.
fn refused(policy: &Policy, current: &Current, desired: &[ScimUser]) -> (Guard, usize) {
    let refusal = policy.plan(current, desired).unwrap_err();
    (refusal.guard(), refusal.plan().count(Action::Deactivate))
}

#[test]
fn an_empty_source_would_deactivate_all_users() {
    let current = Current::complete(users(0..50));
    assert_eq!(refused(&policy(), &current, &[]), (Guard::EmptySource, 50));
    let allowed = policy().allow_empty_source(50).max_deactivation_percent(100);
    assert_eq!(allowed.plan(&current, &[]).unwrap().count(Action::Deactivate), 50);
}

#[test]
fn a_source_that_is_cut_off_would_deactivate_the_rest() {
    let current = Current::complete(users(0..1000));
    assert_eq!(refused(&policy(), &current, &users(0..913)), (Guard::TruncatedSource, 87));
    let unsorted = |count: usize| users((0..1000).map(|n| n * 7 % 1000).take(count));
    assert_eq!(refused(&policy(), &current, &unsorted(500)), (Guard::TruncatedSource, 500), "a page");
    let expecting = policy().expecting(1000);
    assert_eq!(refused(&expecting, &current, &unsorted(998)), (Guard::TruncatedSource, 2), "fewer than expected");
    let allowed = expecting.allow_truncated_source(2).plan(&current, &unsorted(998)).unwrap();
    assert_eq!(allowed.count(Action::Deactivate), 2);
}

#[test]
fn numbers_are_sorted_as_numbers_too() {
    let numbered = |numbers: std::ops::Range<usize>| -> Vec<ScimUser> {
        numbers.map(|n| ScimUser::new(format!("{}", n * 7919 % 9973)).with_external_id(n.to_string())).collect()
    };
    let current = Current::complete(numbered(0..1200));
    assert_eq!(refused(&policy(), &current, &numbered(0..1150)), (Guard::TruncatedSource, 50));
}

#[test]
fn leavers_are_not_all_at_the_end() {
    let current = Current::complete(users(0..1000));
    let stayed = users((0..1000).filter(|n| n % 11 != 3));
    let plan = policy().plan(&current, &stayed).unwrap();
    assert_eq!(plan.count(Action::Deactivate), 91);
}

#[test]
fn a_mass_deactivation_is_rejected_by_number_and_by_share() {
    let current = Current::complete(users(0..2000));
    let all_but = |n: usize| users((0..2000).filter(move |at| at % 3 != 0 || *at >= n * 3));
    assert_eq!(refused(&policy(), &current, &all_but(101)), (Guard::TooManyDeactivations, 101));
    assert!(policy().plan(&current, &all_but(99)).is_ok());
    assert!(policy().max_deactivations(101).plan(&current, &all_but(101)).is_ok());

    let small = Current::complete(users(0..20));
    let left = |n: usize| users((0..20).filter(move |at| at % 2 != 0 || *at >= n * 2));
    assert_eq!(refused(&policy(), &small, &left(6)), (Guard::TooManyDeactivations, 6));
    assert!(policy().plan(&small, &left(5)).is_ok(), "so few are no mass");
    assert!(policy().max_deactivation_percent(30).plan(&small, &left(6)).is_ok());
}

#[test]
fn users_that_the_source_itself_deactivates_count_too() {
    let current = Current::complete(users(0..20));
    let inactive: Vec<_> = users(0..20).into_iter().map(|user| user.with_active(false)).collect();
    assert_eq!(refused(&policy(), &current, &inactive), (Guard::TooManyDeactivations, 20));
}

#[test]
fn with_an_incomplete_list_existing_users_would_be_created_again() {
    let all = users(0..80);
    let current = Current::partial(all[..30].to_vec(), "it is the first page");
    let refusal = policy().plan(&current, &all).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().count(Action::Create)), (Guard::IncompleteList, 50));
    assert_eq!(policy().allow_incomplete_list().plan(&current, &all).unwrap().steps.len(), 50);
}

#[test]
fn only_a_sorted_source_is_cut_off() {
    let current = Current::complete(users(0..1000));
    let plan = policy().plan(&current, &users((0..990).rev())).unwrap();
    assert_eq!(plan.count(Action::Deactivate), 10);
    let sorted = users((0..500).chain(499..990));
    assert_eq!(refused(&policy(), &current, &sorted), (Guard::TruncatedSource, 10));
}

#[test]
fn a_mass_rename_is_rejected_by_number_and_by_share() {
    // A row was lost in the column of names.
    let shifted = |users: usize, to: usize| -> Vec<ScimUser> {
        let name = |n: usize| format!("user{:05}", if n < to { n + 100_000 } else { n });
        (0..users).map(|n| ScimUser::new(name(n)).with_external_id(n.to_string())).collect()
    };
    let current = Current::complete(users(0..2000));
    let renames = |users, to| {
        let refusal = policy().plan(&current, &shifted(users, to)).unwrap_err();
        (refusal.guard(), refusal.plan().steps.len(), refusal.to_string())
    };
    let (guard, steps, message) = renames(2000, 1000);
    assert_eq!((guard, steps), (Guard::TooManyRenames, 1000));
    assert!(message.ends_with("use Policy::max_renames(1000) and Policy::max_rename_percent(50)"), "{message}");
    assert!(policy().plan(&current, &shifted(2000, 100)).is_ok());
    let allowed = policy().max_renames(1000).max_rename_percent(50);
    assert_eq!(allowed.plan(&current, &shifted(2000, 1000)).unwrap().steps.len(), 1000);

    let small = Current::complete(users(0..20));
    assert!(policy().plan(&small, &shifted(20, 5)).is_ok());
    let refusal = policy().plan(&small, &shifted(20, 6)).unwrap_err();
    assert_eq!(refusal.guard(), Guard::TooManyRenames);
    assert!(refusal.to_string().ends_with("use Policy::max_rename_percent(30)"), "{refusal}");
}

#[test]
fn an_override_allows_a_number_and_no_more() {
    let current = Current::complete(users(0..50));
    let policy = || policy().max_deactivation_percent(100);
    assert_eq!(refused(&policy().allow_empty_source(49), &current, &[]), (Guard::EmptySource, 50));
    assert!(policy().allow_empty_source(50).plan(&current, &[]).is_ok());
    assert_eq!(refused(&policy().allow_truncated_source(9), &current, &users(0..40)), (Guard::TruncatedSource, 10));
    assert!(policy().allow_truncated_source(10).plan(&current, &users(0..40)).is_ok());
    for limit in [policy().max_deactivations(0), policy().max_deactivations(1)] {
        let left = users((0..50).filter(|n| n % 25 != 7));
        let refusal = limit.plan(&current, &left).unwrap_err();
        assert_eq!(refusal.guard(), Guard::TooManyDeactivations);
        assert!(refusal.to_string().ends_with("use Policy::max_deactivations(2)"), "{refusal}");
    }
}

#[test]
fn the_source_or_the_server_of_another_company_would_be_synchronised() {
    let policy = || policy().must_contain(["USER00003"]);
    let (current, source) = (Current::complete(users(0..30)), users(0..30));
    assert!(policy().plan(&current, &source).is_ok());
    let refusal = policy().plan(&current, &users(4..30)).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().count(Action::Deactivate)), (Guard::MissingUser, 4));
    assert!(refusal.to_string().starts_with("the source does not have the user \"user00003\""), "{refusal}");
    let refusal = policy().plan(&Current::complete(users(10..32)), &source).unwrap_err();
    assert!(refusal.to_string().starts_with("the server does not have"), "{refusal}");
}

#[test]
fn users_that_no_longer_match_would_be_created_again() {
    let current = Current::complete(users(0..40));
    let other_key = |n: usize| ScimUser::new(format!("USER-{n}@example.com")).with_external_id(format!("P{n}"));
    let source: Vec<_> = (0..40).map(other_key).collect();
    let keep = || policy().leavers(crate::plan::Leavers::Keep);
    let refusal = keep().plan(&current, &source).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().count(Action::Create)), (Guard::TooManyCreations, 40));
    assert!(keep().max_creation_percent(100).plan(&current, &source).is_ok());
    assert_eq!(keep().max_creations(39).plan(&current, &source).unwrap_err().guard(), Guard::TooManyCreations);
}

#[test]
fn a_first_import_is_not_limited() {
    for admins in [0, 5] {
        let admins = (0..admins).map(|n| ScimUser::new(format!("admin{n}"))).collect();
        let plan = policy().plan(&Current::complete(admins), &users(0..5007)).unwrap();
        assert_eq!(plan.count(Action::Create), 5007);
    }
    // One that was interrupted, and is planned again.
    let plan = policy().plan(&Current::complete(users(0..1007)), &users(0..5007)).unwrap();
    assert_eq!(plan.count(Action::Create), 4000);
}

#[test]
fn a_directory_made_by_hand_would_be_adopted_at_once() {
    let by_hand = users(0..120).into_iter().map(|user| ScimUser { external_id: None, ..user }).collect();
    let current = Current::complete(by_hand);
    let refusal = policy().plan(&current, &users(0..120)).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().count(Action::Adopt)), (Guard::TooManyAdoptions, 120));
    let setting = "use Policy::max_adoptions(120) and Policy::max_adoption_percent(100)";
    assert!(refusal.to_string().ends_with(setting), "{refusal}");
    let allowed = policy().max_adoptions(120).max_adoption_percent(100);
    assert_eq!(allowed.plan(&current, &users(0..120)).unwrap().steps.len(), 120);
}

#[test]
fn everyone_who_ever_worked_here_would_be_reactivated() {
    let inactive = |user: ScimUser, n: usize| if n.is_multiple_of(4) { user.with_active(false) } else { user };
    let held = users(0..40).into_iter().zip(0..).map(|(user, n)| inactive(user, n)).collect();
    let (current, source) = (Current::complete(held), users(0..40));
    let refusal = policy().plan(&current, &source).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().count(Action::Reactivate)), (Guard::TooManyReactivations, 10));
    assert!(policy().max_reactivation_percent(25).plan(&current, &source).is_ok());
    assert!(policy().max_reactivations(9).max_reactivation_percent(25).plan(&current, &source).is_err());
}

/// Users with a family name and a title, either of which may be empty.
fn titled(names: impl IntoIterator<Item = (String, String)>) -> Vec<ScimUser> {
    let user = |(n, (family, title)): (usize, (String, String))| {
        let user = serde_json::json!({
            "id": n.to_string(), "userName": format!("user{n}"), "externalId": n.to_string(), "active": true,
            "name": { "familyName": family }, "title": Some(title).filter(|title| !title.is_empty()),
        });
        serde_json::from_value(user).unwrap()
    };
    (0..).zip(names).map(user).collect()
}

#[test]
fn a_shifted_column_would_change_all_values_of_an_attribute() {
    let named = |shift: usize| titled((0..40).map(|n| (format!("Doe{}", n + shift), "T".to_owned())));
    let current = Current::complete(named(0));
    let refusal = policy().plan(&current, &named(1)).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().count(Action::Update)), (Guard::TooManyChanges, 40));
    assert!(refusal.to_string().contains("another \"name.familyName\""), "{refusal}");
    assert!(policy().max_change_percent(100).plan(&current, &named(1)).is_ok());
    assert!(policy().max_changes(39).max_change_percent(100).plan(&current, &named(1)).is_err());
    assert!(policy().plan(&current, &titled((0..40).map(|n| (format!("Doe{}", n + n % 2), "T".into())))).is_ok());
}

#[test]
fn a_lost_column_would_clear_an_attribute() {
    let with = |cleared: usize| {
        titled((0..40).map(|n| ("Doe".to_owned(), if n < cleared { String::new() } else { format!("T{n}") })))
    };
    let policy = || policy().clears(["title"]);
    let current = Current::complete(with(0));
    let refusal = policy().plan(&current, &with(9)).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().steps.len()), (Guard::TooManyCleared, 9));
    assert!(policy().max_cleared_percent(23).plan(&current, &with(9)).is_ok());
    assert!(policy().max_cleared(8).max_cleared_percent(23).plan(&current, &with(9)).is_err());
    assert!(policy().plan(&current, &with(8)).is_ok());
}

#[test]
fn one_value_filled_down_would_replace_different_ones() {
    let current = Current::complete(titled((0..40).map(|n| ("Doe".to_owned(), format!("T{n}")))));
    let filled = titled((0..40).map(|n| ("Doe".to_owned(), if n % 4 == 0 { "T1".into() } else { format!("T{n}") })));
    let refusal = policy().plan(&current, &filled).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().steps.len()), (Guard::TooManyAlike, 10));
    assert!(policy().max_alike_percent(25).plan(&current, &filled).is_ok());
    assert!(policy().max_alike(9).max_alike_percent(25).plan(&current, &filled).is_err());

    // A department gets another name.
    let all =
        |title: &str| titled((0..40).map(|n| ("Doe".to_owned(), if n % 3 == 0 { title } else { "U" }.to_owned())));
    assert!(policy().plan(&Current::complete(all("QA")), &all("Quality")).is_ok());
}

#[test]
fn the_wrong_charset_would_break_the_names_of_a_few() {
    let named = |mueller: &str| {
        titled((0..100).map(|n| (if n % 10 == 0 { mueller } else { "Doe" }.to_owned(), "T".to_owned())))
    };
    let current = Current::complete(named("M\u{fc}ller"));
    for broken in ["M\u{c3}\u{bc}ller", "M\u{fffd}ller", "M?ller", "M\u{f3}ller"] {
        let refusal = policy().plan(&current, &named(broken)).unwrap_err();
        assert_eq!((refusal.guard(), refusal.plan().steps.len()), (Guard::BrokenCharset, 10), "{broken}");
        assert!(policy().max_charset_change_percent(10).plan(&current, &named(broken)).is_ok());
        assert!(policy().max_charset_changes(9).max_charset_change_percent(10).plan(&current, &named(broken)).is_err());
    }
    assert!(policy().plan(&current, &named("Mueller")).is_ok());
}

/// A directory with these groups of users, by their numbers.
fn grouped(groups: &[std::ops::Range<usize>]) -> (Current, Desired) {
    let group = |(n, members): (usize, &std::ops::Range<usize>)| {
        let members: Vec<_> = members.clone().map(|n| serde_json::json!({ "value": n.to_string() })).collect();
        let group = serde_json::json!({ "id": format!("g{n}"), "externalId": format!("g{n}"), "displayName": format!("G{n}"), "members": members });
        CurrentGroup::complete(serde_json::from_value(group).unwrap())
    };
    let users: Vec<_> =
        users(0..60).into_iter().map(|user| ScimUser { id: user.external_id.clone(), ..user }).collect();
    let held = groups.iter().enumerate().map(|(n, members)| group((n, members))).collect();
    let wanted = groups.iter().enumerate().map(|(n, members)| {
        let members = members.clone().map(|n| Reference::external_id(n.to_string()));
        DesiredGroup::new(format!("G{n}")).with_external_id(format!("g{n}")).with_members(members)
    });
    let desired = Desired::of_users(users.clone()).with_groups(wanted.collect());
    (Current::complete(users).with_groups(held), desired)
}

#[test]
fn groups_would_lose_or_get_too_many_members_or_be_gone() {
    let full = || [0..20, 20..40, 40..60, 0..0, 0..2];
    let (current, _) = grouped(&full());
    let with = |n: usize, members: std::ops::Range<usize>| {
        let mut groups = full();
        groups[n] = members;
        grouped(&groups).1
    };
    let damage = |policy: &Policy, desired: &Desired| {
        let refusal = policy.plan(&current, desired).unwrap_err();
        let members = refusal.plan().steps.iter().map(|step| step.members.len()).sum::<usize>();
        (refusal.guard(), members, refusal.plan().count(Action::DeleteGroup))
    };
    assert_eq!(damage(&policy(), &with(3, 0..32)), (Guard::TooManyMembersAdded, 32, 0));
    assert!(policy().max_members_added_percent(35).plan(&current, &with(3, 0..32)).is_ok());
    assert!(policy().plan(&current, &with(3, 0..26)).is_ok());
    assert_eq!(damage(&policy(), &with(0, 0..7)), (Guard::TooManyMembersRemoved, 13, 0));
    assert!(policy().max_members_removed_percent(21).plan(&current, &with(0, 0..7)).is_ok());
    assert_eq!(damage(&policy().max_members_removed(11), &with(0, 0..8)), (Guard::TooManyMembersRemoved, 12, 0));

    let emptied = policy().max_members_removed_percent(100);
    assert_eq!(damage(&emptied, &with(0, 0..0)), (Guard::TooManyGroupsEmptied, 20, 0));
    assert!(emptied.clone().max_groups_emptied(1).plan(&current, &with(0, 0..0)).is_ok());
    assert!(emptied.plan(&current, &with(4, 0..0)).is_ok(), "the last two have left");

    let (many, _) = grouped(&vec![0..0; 20]);
    let left = |n: usize| grouped(&vec![0..0; 20 - n]).1;
    let deletes = || policy().deletes_groups(true);
    let refusal = deletes().plan(&many, &left(6)).unwrap_err();
    assert_eq!((refusal.guard(), refusal.plan().count(Action::DeleteGroup)), (Guard::TooManyGroupsDeleted, 6));
    assert!(deletes().plan(&many, &left(5)).is_ok() && deletes().max_groups_deleted(4).plan(&many, &left(5)).is_err());
    assert!(deletes().max_groups_deleted_percent(30).plan(&many, &left(6)).is_ok());
}
