use axum::http::{Method, StatusCode};
use wats_scim::{Credentials, RetryPolicy, ScimConfig};
use wats_scim_sandbox::{Fault, FaultProxy, FaultRule, Sandbox};

use super::browser::{Browser, Form, form, with};
use super::{browser, config, guard, with_users};

/// The form of a user's page.
async fn form_of(browser: &Browser, path: &str) -> Form {
    browser.get(path).await.forms[0].clone()
}

#[tokio::test]
async fn an_edit_changes_what_was_edited_and_nothing_else() {
    let (browser, _sandbox) = with_users(2);
    let path = browser.path_of("user0001@example.com").await;
    let edit = form_of(&browser, &path).await;
    let edited = browser.submit(&path, &with(&edit, "familyName", " Roe ")).await;
    assert!(edited.text.contains("The changes are saved."));
    assert_eq!(edited.forms[0]["familyName"], "Roe");

    // A form from before that edit, of another administrator.
    let both = browser.submit(&path, &with(&edit, "email", "roe@example.com")).await.forms[0].clone();
    assert_eq!((both["familyName"].as_str(), both["email"].as_str()), ("Roe", "roe@example.com"));
    let untouched = browser.submit(&path, &edit).await;
    assert_eq!(untouched.forms[0], both, "an untouched form changes nothing");
    assert!(untouched.text.contains("nothing to change"));

    let odd = browser.submit(&path, &with(&both, "fullName", "<b>x</b>")).await;
    assert_eq!(odd.forms[0]["fullName"], "<b>x</b>");
    let list = browser.get("/").await;
    assert!(!odd.source.contains("<b>") && !list.source.contains("<b>"));
    assert!(list.text.contains("<b>x</b>"), "{}", list.text);
}

#[tokio::test]
async fn what_another_person_changed_meanwhile_is_shown_first() {
    let (browser, _sandbox) = with_users(1);
    let path = browser.path_of("user0001@example.com").await;
    let old = form_of(&browser, &path).await;
    browser.submit(&path, &with(&old, "familyName", "Theirs")).await;
    let page = browser.post(&path, &with(&old, "familyName", "Mine")).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.text.contains("changed to “Theirs”") && page.text.contains("Nothing was changed."), "{}", page.text);
    assert_eq!(form_of(&browser, &path).await["familyName"], "Theirs");
    assert_eq!(browser.submit(&path, &page.forms[0]).await.forms[0]["familyName"], "Mine");
}

#[tokio::test]
async fn a_user_is_deactivated_and_activated_after_a_question() {
    let (browser, sandbox) = with_users(2);
    let path = browser.path_of("user0001@example.com").await;
    let question = &browser.get(&path).await.links["Deactivate…"];
    let asked = browser.get(question).await;
    assert!(asked.text.contains("Deactivate Sample User 0001?") && asked.links["Cancel"] == path, "{}", asked.text);
    assert!(sandbox.requests().iter().all(|request| request.method == "GET"));
    let inactive = browser.submit(question, &form(&[])).await;
    assert!(inactive.text.contains("The user is deactivated.") && inactive.text.contains("cannot sign in"));
    assert!(!inactive.has("Deactivate…"));
    assert!(browser.get("/").await.rows[1].contains("Inactive"));
    let active = browser.submit(&inactive.links["Activate…"], &form(&[])).await;
    assert!(active.text.contains("The user is activated."));
}

#[tokio::test]
async fn people_are_told_before_they_lock_themselves_out() {
    let (mut browser, _sandbox) = with_users(1);
    let path = browser.path_of("user0001@example.com").await;
    assert!(!browser.get(&format!("{path}/deactivate")).await.text.contains("your own account"));
    browser.always = vec![(super::USER_HEADER, "User0001@example.com".to_owned())];
    assert!(browser.get(&format!("{path}/deactivate")).await.text.contains("your own account"));
    assert!(!browser.get(&format!("{path}/activate")).await.text.contains("your own account"));
}

#[tokio::test]
async fn each_change_is_on_the_trail_with_the_person_as_its_label() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let (mut browser, events) = browser(config(&sandbox), guard());
    let path = browser.path_of("user0001@example.com").await;
    let edit = form_of(&browser, &path).await;
    browser.submit(&path, &with(&edit, "familyName", "Roe")).await;
    browser.always = vec![(super::USER_HEADER, "bób".to_owned())];
    browser.submit(&format!("{path}/deactivate"), &form(&[])).await;
    browser.post("/users/unknown/deactivate", &form(&[])).await;
    let events = events.lock().unwrap();
    let mut labels: Vec<_> = events.iter().map(|event| event.label.as_deref().unwrap()).collect();
    labels.dedup();
    assert_eq!(labels, ["ann", "bób"]);
    assert_eq!(events.iter().filter(|event| event.label.as_deref() == Some("bób")).count(), 4);
}

#[tokio::test]
async fn a_lost_answer_is_said_to_be_one_and_what_was_typed_stays() {
    let sandbox = Sandbox::builder().users(1).start().unwrap();
    let lost = FaultRule::new(Fault::ResetAfterApplied).on_method(Method::PATCH);
    let proxy = FaultProxy::builder(sandbox.base_url()).with_rule(lost).start().unwrap();
    let config = ScimConfig::new(proxy.base_url(), Credentials::wats_token(sandbox.token()));
    let (browser, _) = browser(config.retry(RetryPolicy::none()), guard());
    let path = browser.path_of("user0001@example.com").await;
    let edit = with(&form_of(&browser, &path).await, "familyName", "Roe");
    let lost = browser.post(&path, &edit).await;
    assert_eq!(lost.status, StatusCode::BAD_GATEWAY, "{}", lost.text);
    assert!(lost.text.contains("The change may have been applied."), "{}", lost.text);
    assert_eq!((lost.forms[0]["familyName"].as_str(), &lost.links["Show the current values"]), ("Roe", &path));
    let lost = browser.post(&format!("{path}/deactivate"), &form(&[])).await;
    assert!(lost.text.contains("The change may have been applied."), "{}", lost.text);
    assert_eq!(lost.links["Show the current values"], path);
}

#[tokio::test]
async fn mistakes_are_explained() {
    let (browser, _sandbox) = with_users(3);
    for path in ["/users/unknown", "/elsewhere", "/users/unknown/deactivate"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(page.text.contains("There is no such"), "{}", page.text);
    }
    let page = browser.post("/users/unknown/deactivate", &form(&[])).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("no longer on the server. Nothing was changed."), "{}", page.text);

    let path = browser.path_of("user0003@example.com").await;
    let before = form_of(&browser, &path).await;
    let edit = with(&with(&before, "email", "new@example.com"), "familyName", " ");
    let page = browser.post(&path, &edit).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text.contains("Family name cannot be empty."), "{}", page.text);
    assert!(page.source.contains(r#"aria-invalid="true" aria-describedby="familyName-problem""#));
    assert_eq!(page.forms[0]["email"], "new@example.com", "what was typed stays");
    assert_eq!(form_of(&browser, &path).await, before);
}
