//! Another writer, who changes the directory at the worst moment: just before a request arrives.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::marks::Mark;
use crate::world::World;

impl World {
    pub fn meddle(&self, number: usize) {
        if self.setting.others == 0 || self.is_calm() || !self.chance(self.setting.others) {
            return;
        }
        let now = self.elapsed();
        let (what, which) = (self.choose(6), self.choose(64));
        let wire = self.wire.borrow();
        let mut server = self.server.borrow_mut();
        let users: Vec<_> = server.store.iter().filter(|((endpoint, _), _)| *endpoint == "Users").collect();
        let Some(((_, id), held)) =
            users.get(which % users.len().max(1)).map(|(key, held)| ((*key).clone(), Rc::clone(held)))
        else {
            return;
        };
        let mut object = (*held).clone();
        match what {
            0 => drop(object.insert("displayName".to_owned(), format!("other-{number}").into())),
            1 => drop(object.insert("active".to_owned(), (held.get("active") == Some(&Value::Bool(false))).into())),
            2 => drop(object.insert("externalId".to_owned(), format!("other-{number}").into())),
            3 => {
                // What the request is about.
                let Some(target) = wire.tickets.get(number).map(|ticket| ticket.request.uri().path().to_owned()) else {
                    return;
                };
                let target = target.rsplit('/').next().unwrap_or_default().to_owned();
                if server.delete(now, None, "Users", &target, None).0 == 204 {
                    self.mark(Mark::DeletedByAnother);
                    self.say(|| format!("    another writer deletes what request {number} is about"));
                }
                return;
            }
            4 => {
                // The name of what the request creates.
                let body = wire
                    .tickets
                    .get(number)
                    .and_then(|ticket| serde_json::from_slice::<Value>(ticket.request.body()).ok());
                let Some(name) = body.as_ref().and_then(|body| body["userName"].as_str()) else { return };
                let twin = json!({ "userName": name, "externalId": format!("other-{number}"), "displayName": "another person" });
                if server.create(now, None, "Users", twin).0 < 300 {
                    self.mark(Mark::NameTakenByAnother);
                    self.say(|| format!("    another writer creates a user {name}"));
                }
                return;
            }
            _ => {
                server.delete(now, None, "Users", &id, None);
                return self.say(|| "    another writer deletes a user".to_owned());
            }
        }
        server.put(now, None, "Users", &id, Some(object));
        self.say(|| format!("    another writer changes user {id}"));
    }
}
