//! Changes one attribute: all of it, a sub-attribute, or the values that a filter selects.

use serde_json::{Map, Value};
use wats_scim_filter::json::{is_unassigned, member, set, spelling, take};
use wats_scim_filter::{AttributePath, Filter};

use super::primary;
use super::target::Action;
use crate::refusal::Refusal;
use crate::standard::refusals;
use crate::standard::schema::{Attribute, Mutability, Type};

/// An attribute, and the object that contains it or will contain it.
pub(super) struct Place<'a> {
    holder: &'a mut Map<String, Value>,
    attribute: Option<&'static Attribute>,
    name: String,
}

impl<'a> Place<'a> {
    pub(super) fn new(holder: &'a mut Map<String, Value>, attribute: Option<&'static Attribute>, name: &str) -> Self {
        let known = attribute.map_or(name, |known| known.name);
        let name = spelling(holder, name).unwrap_or(known).to_owned();
        Self { holder, attribute, name }
    }

    fn is_many(&self) -> bool {
        self.attribute.map_or_else(|| matches!(self.holder.get(&self.name), Some(Value::Array(_))), |known| known.many)
    }

    fn is_complex(&self) -> bool {
        self.attribute.map_or_else(
            || matches!(self.holder.get(&self.name), Some(Value::Object(_))),
            |known| known.of == Type::Complex,
        )
    }

    /// Sets the value, or removes the attribute if the value is unassigned.
    fn put(&mut self, value: Value) {
        if is_unassigned(&value) {
            self.holder.shift_remove(&self.name);
        } else {
            self.holder.insert(self.name.clone(), value);
        }
    }

    fn values(&self) -> Vec<Value> {
        match self.holder.get(&self.name) {
            Some(Value::Array(values)) => values.clone(),
            Some(value) if !value.is_null() => vec![value.clone()],
            _ => Vec::new(),
        }
    }

    fn put_values(&mut self, before: &[Value], mut after: Vec<Value>) -> Result<(), Refusal> {
        primary::settle(before, &mut after)?;
        self.put(after.into());
        Ok(())
    }

    /// Changes the whole attribute. Sub-attributes that are absent from the value stay (§3.5.2.3).
    pub(super) fn whole(&mut self, action: Action<'_>) -> Result<(), Refusal> {
        match action {
            Action::Remove => {
                self.holder.shift_remove(&self.name);
            }
            Action::Add(value) if is_unassigned(value) => {}
            Action::Replace(value) if is_unassigned(value) => {
                self.holder.shift_remove(&self.name);
            }
            Action::Add(value) if self.is_many() => return self.append(value),
            Action::Replace(value) if self.is_many() => {
                let before = self.values();
                return self.put_values(&before, listed(value));
            }
            Action::Add(value) | Action::Replace(value) => match (self.holder.get(&self.name), value) {
                (Some(Value::Object(held)), Value::Object(sent)) if self.is_complex() => {
                    let merged = merged(held, sent);
                    self.put(merged.into());
                }
                _ => self.put(value.clone()),
            },
        }
        Ok(())
    }

    /// Adds values. An existing value changes nothing (§3.5.2.1).
    fn append(&mut self, value: &Value) -> Result<(), Refusal> {
        let before = self.values();
        let mut after = before.clone();
        for value in listed(value) {
            if !after.iter().any(|held| self.is_same(held, &value)) {
                after.push(value);
            }
        }
        self.put_values(&before, after)
    }

    fn is_same(&self, held: &Value, sent: &Value) -> bool {
        let by_value = self.attribute.is_some_and(Attribute::is_identified_by_value);
        let same_value = || match (held, sent) {
            (Value::Object(held), Value::Object(sent)) => {
                member(held, "value").is_some_and(|value| Some(value) == member(sent, "value"))
            }
            _ => false,
        };
        held == sent || (by_value && same_value())
    }

    /// Changes a sub-attribute, of the single value or of all values.
    pub(super) fn sub(&mut self, sub: &str, action: Action<'_>) -> Result<(), Refusal> {
        if self.is_many() {
            let before = self.values();
            let mut after = before.clone();
            if after.is_empty() && !matches!(action, Action::Remove) {
                after.push(Value::Object(Map::new()));
            }
            for value in &mut after {
                self.change(value, sub, action)?;
            }
            after.retain(|value| !is_unassigned(value));
            return self.put_values(&before, after);
        }
        if self.attribute.is_some() && !self.is_complex() {
            return Err(Refusal::invalid_path(format!("{} has no sub-attributes", self.name)));
        }
        let mut value = self.holder.get(&self.name).cloned().unwrap_or_else(|| Value::Object(Map::new()));
        self.change(&mut value, sub, action)?;
        self.put(value);
        Ok(())
    }

    /// Changes the values that a filter selects, or a sub-attribute of each.
    pub(super) fn selected(&mut self, filter: &Filter, sub: Option<&str>, action: Action<'_>) -> Result<(), Refusal> {
        if !self.is_many() {
            return Err(Refusal::invalid_path(format!("{} has a single value, so it cannot be filtered", self.name)));
        }
        let before = self.values();
        let mut after = before.clone();
        if !after.iter().any(|value| filter.matches(value)) {
            // A filter such as `type eq "work"` describes a value to create; Entra ID relies on it.
            match (action, described(filter)) {
                (Action::Add(_), Some(value)) => after.push(value),
                _ => return Err(refusals::no_target(format!("{}[{filter}] selects nothing", self.name))),
            }
        }
        let mut kept = Vec::with_capacity(after.len());
        for mut value in after {
            if !filter.matches(&value) {
                kept.push(value);
                continue;
            }
            match (sub, action) {
                (Some(sub), action) => self.change(&mut value, sub, action)?,
                (None, Action::Remove) => continue,
                (None, Action::Replace(new)) => value = new.clone(),
                (None, Action::Add(new)) => match (&value, new) {
                    (Value::Object(held), Value::Object(sent)) => value = merged(held, sent).into(),
                    _ => value = new.clone(),
                },
            }
            kept.push(value);
        }
        kept.retain(|value| !is_unassigned(value));
        self.put_values(&before, kept)
    }

    fn change(&self, value: &mut Value, sub: &str, action: Action<'_>) -> Result<(), Refusal> {
        let Value::Object(members) = value else {
            return Err(Refusal::invalid_path(format!("{} has no sub-attributes", self.name)));
        };
        let known = self.attribute.and_then(|known| known.sub(sub));
        let old = member(members, sub).cloned();
        match action {
            Action::Add(new) | Action::Replace(new) if !is_unassigned(new) => {
                set(members, known.map_or(sub, |known| known.name), new.clone());
            }
            Action::Add(_) => {}
            Action::Replace(_) | Action::Remove => {
                take(members, sub);
            }
        }
        let is_fixed =
            known.is_some_and(|known| matches!(known.mutability, Mutability::Immutable | Mutability::ReadOnly));
        if is_fixed && old.is_some() && old.as_ref() != member(members, sub) {
            return Err(refusals::mutability(format!("{}.{sub} cannot be changed", self.name)));
        }
        Ok(())
    }
}

fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    }
}

fn merged(held: &Map<String, Value>, sent: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = held.clone();
    for (name, value) in sent {
        if is_unassigned(value) {
            take(&mut merged, name);
        } else {
            set(&mut merged, name, value.clone());
        }
    }
    merged
}

/// The value that a filter with a single `eq` describes.
fn described(filter: &Filter) -> Option<Value> {
    let text = filter.to_string();
    let (name, operand) = text.split_once(" eq ")?;
    name.parse::<AttributePath>().ok()?;
    let operand: Value = serde_json::from_str(operand).ok()?;
    Some(Value::Object(std::iter::once((name.to_owned(), operand)).collect()))
}
