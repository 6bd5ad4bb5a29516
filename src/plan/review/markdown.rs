//! A plan as Markdown, for review in a merge request.

use std::borrow::Cow;
use std::fmt;

use crate::plan::review::print::shown;
use crate::plan::stored::Counts;
use crate::plan::{Plan, PlanWithoutValues};

/// A plan as Markdown, from [`Plan::markdown`]; `Display` writes it.
#[derive(Clone, Debug)]
pub struct Markdown<'a> {
    plan: &'a Plan,
    digest: Cow<'a, str>,
    at_most: usize,
}

impl Plan {
    /// The plan as Markdown (`CommonMark` with the tables of GitHub and GitLab), for a merge request: a table of
    /// counts, the digest, and the steps, conflicts and differences that cannot be sent.
    ///
    /// All text of the plan is in code spans, so that a value cannot add markup, HTML, links or mentions. It
    /// has personal data; [`without_values`](Self::without_values) has none.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::{Current, Policy};
    ///
    /// let plan = Policy::new(&Profile::wats()).plan(&Current::complete(vec![]), &[ScimUser::new("ann")])?;
    /// let markdown = plan.markdown().to_string();
    /// assert!(markdown.contains("| create | 1 |"));
    /// assert!(markdown.contains("- `+ ann create`"));
    /// # Ok::<(), wats_scim::plan::Refusal>(())
    /// ```
    #[must_use]
    pub fn markdown(&self) -> Markdown<'_> {
        Markdown { plan: self, digest: self.digest().into(), at_most: 200 }
    }
}

impl PlanWithoutValues {
    /// The plan as Markdown, as [`Plan::markdown`], with the digest of the plan that it was made from.
    ///
    /// ```
    /// use wats_scim::{Profile, ScimUser};
    /// use wats_scim::plan::{Current, Policy};
    ///
    /// let plan = Policy::new(&Profile::wats()).plan(&Current::complete(vec![]), &[ScimUser::new("ann")])?;
    /// let markdown = plan.without_values().markdown().to_string();
    /// assert!(markdown.contains(&plan.digest()) && !markdown.contains("ann"));
    /// # Ok::<(), wats_scim::plan::Refusal>(())
    /// ```
    #[must_use]
    pub fn markdown(&self) -> Markdown<'_> {
        Markdown { plan: self.plan(), digest: self.digest().into(), at_most: 200 }
    }
}

impl Markdown<'_> {
    /// How many steps, conflicts and differences are listed, each; 200 by default. The others are counted.
    #[must_use]
    pub fn at_most(self, lines: usize) -> Self {
        Self { at_most: lines, ..self }
    }

    fn list<T>(
        &self,
        f: &mut fmt::Formatter<'_>,
        title: &str,
        items: &[T],
        line: impl Fn(&T) -> String,
    ) -> fmt::Result {
        if items.is_empty() {
            return Ok(());
        }
        write!(f, "\n**{title}**\n\n")?;
        items.iter().take(self.at_most).try_for_each(|item| writeln!(f, "- {}", code(&line(item))))?;
        match items.len().saturating_sub(self.at_most) {
            0 => Ok(()),
            more => writeln!(f, "- and {more} more"),
        }
    }
}

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan;
        f.write_str("| action | steps |\n|---|---|\n")?;
        for (action, count) in Counts::of(&plan.steps).iter() {
            writeln!(f, "| {} | {count} |", action.verb())?;
        }
        write!(f, "| unchanged | {} |\n\n", plan.unchanged)?;
        if let Some(server) = &plan.server {
            write!(f, "Server {}. ", code(&shown(server)))?;
        }
        if let Some(made_by) = &plan.made_by {
            write!(f, "Made by {}. ", code(&shown(made_by)))?;
        }
        writeln!(f, "Digest {}.", code(&self.digest))?;
        self.list(f, "Steps", &plan.steps, ToString::to_string)?;
        self.list(f, "Conflicts", &plan.conflicts, |conflict| {
            format!("{}: {}", shown(&conflict.user), shown(&conflict.reason))
        })?;
        self.list(f, "Cannot be sent", &plan.inexpressible, |user| {
            format!("{}: {}", shown(&user.user_name), shown(&user.left_out.join("; ")))
        })
    }
}

/// A code span (`CommonMark` §6.1): all between its backticks is text. It is delimited by more backticks than
/// the text has in a row.
fn code(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let text = words.collect::<Vec<_>>().join(" ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.saturating_add(1));
    if text.is_empty() {
        "(empty)".to_owned()
    } else if text.starts_with('`') || text.ends_with('`') {
        // One space at both ends is not part of the text.
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::config::Profile;
    use crate::model::ScimUser;
    use crate::plan::{Current, Policy};

    /// A line without its code spans, as `CommonMark` reads them.
    fn outside_of_code(line: &str) -> String {
        let (mut rest, mut outside) = (line, String::new());
        while let Some(start) = rest.find('`') {
            outside.push_str(&rest[..start]);
            let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
            let fence = &rest[start..start + run];
            let mut after = &rest[start + run..];
            let mut end = None;
            while let Some(at) = after.find('`') {
                let length = after[at..].len() - after[at..].trim_start_matches('`').len();
                after = &after[at + length..];
                if length == fence.len() {
                    end = Some(after);
                    break;
                }
            }
            let Some(end) = end else { return outside + &rest[start..] };
            outside.push('C');
            rest = end;
        }
        outside + rest
    }

    proptest! {
        #[test]
        fn no_value_adds_markup(texts in prop::collection::vec("[`` `\\\\<>*_|@#a\\[\\]()!&\n-]{1,12}", 3)) {
            let [title, name, by] = &texts[..] else { unreachable!() };
            let desired = ScimUser::new(format!("u{}", name.replace('\n', ""))).with_attribute("title", title.clone());
            let policy = Policy::new(&Profile::standard());
            let plan = policy.plan(&Current::complete(Vec::new()), &[desired]).unwrap().with_made_by(by.clone());
            let text = plan.markdown().to_string();
            let lines: Vec<_> = text.lines().map(outside_of_code).collect();
            prop_assert_eq!(&lines[lines.len() - 3..], ["**Steps**", "", "- C"], "{}", text);
            let made_by = if by.trim().is_empty() { "(empty)" } else { "C" };
            prop_assert_eq!(&lines[lines.len() - 5], &format!("Made by {made_by}. Digest C."), "{}", text);
        }
    }

    #[test]
    fn long_lists_are_counted() {
        let desired: Vec<_> = (0..5).map(|n| ScimUser::new(format!("user{n}"))).collect();
        let plan = Policy::new(&Profile::wats()).plan(&Current::complete(Vec::new()), &desired).unwrap();
        let text = plan.markdown().at_most(2).to_string();
        assert!(text.starts_with("| action | steps |\n|---|---|\n| create | 5 |\n| unchanged | 0 |\n"), "{text}");
        assert!(text.ends_with("- `+ user1 create`\n- and 3 more\n"), "{text}");
    }
}
