//! The blocking and the async client are one source, loaded twice. What each of them declares in files
//! of its own is compared here: nothing differs but what is listed with a reason.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, Signature, TraitItem, UseTree, Visibility};

/// What only the blocking client has.
const ONLY_BLOCKING: [(&str, &str); 5] = [
    ("impl Iterator for ScimListing < R , T >", "a listing is an iterator; the async client has `into_stream`"),
    ("impl Iterator for ScimBatch < R , T >", "a batch is an iterator; the async client has `into_stream`"),
    ("impl Iterator for ScimApply < R >", "an apply is an iterator; the async client has `into_stream`"),
    ("impl HttpClient for F", "a closure returns the answer"),
    ("impl TokenProvider for F", "a closure returns the token"),
];

/// What only the async client has.
const ONLY_ASYNC: [(&str, &str); 13] = [
    ("ScimListing < R , T > :: into_stream", "the blocking client has an iterator"),
    ("ScimBatch < R , T > :: into_stream", "the blocking client has an iterator"),
    ("ScimApply < R > :: into_stream", "the blocking client has an iterator"),
    ("ScimService < R > :: write_users_from", "takes a stream; the blocking `write_users` takes any iterator"),
    ("use self :: on_threads :: OnThreads", "it runs a blocking transport"),
    ("struct OnThreads", "it runs a blocking transport"),
    ("OnThreads < C > :: new", "it runs a blocking transport"),
    ("OnThreads < C > :: threads", "it runs a blocking transport"),
    ("impl HttpClient for OnThreads < C >", "it runs a blocking transport"),
    ("impl Clone for OnThreads < C >", "it runs a blocking transport"),
    ("impl fmt :: Debug for OnThreads < C >", "it runs a blocking transport"),
    ("impl HttpClient for F", "a closure returns a future of the answer"),
    ("impl TokenProvider for F", "a closure returns a future of the token"),
];

/// What both declare with documentation of their own.
const OWN_WORDS: [(&str, &str); 3] = [
    ("type ScimClient", "each introduces its client"),
    ("struct Transport", "each introduces its transport, and its limits"),
    ("Transport :: over", "redirects of an agent can be turned off here, those of a client cannot"),
];

/// What one client declares: an item's name, its declaration, and its documentation.
#[derive(Default)]
struct Declared(BTreeMap<String, (String, String)>);

/// The same words for both clients.
fn text(tokens: &impl ToTokens) -> String {
    let words = tokens.to_token_stream().to_string();
    let same = |word| match word {
        "Ureq" | "Reqwest" => "Transport",
        "ureq" | "reqwest" => "transport",
        "Agent" => "Client",
        "blocking" | "asynchronous" => "client",
        _ => word,
    };
    words.split(' ').map(same).collect::<Vec<_>>().join(" ")
}

/// A signature, where a future counts as what it resolves to.
fn signature(of: &Signature) -> String {
    let mut of = of.clone();
    of.asyncness = None;
    text(&of)
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn documentation(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(line) => Some(line.value()),
                _ => None,
            },
            computed => Some(text(computed)),
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// The attributes that are a promise to users.
fn promises(attributes: &[Attribute]) -> String {
    let is_promise = |attribute: &&Attribute| {
        ["derive", "must_use", "non_exhaustive", "deprecated"].iter().any(|name| attribute.path().is_ident(name))
    };
    attributes.iter().filter(is_promise).map(|attribute| text(attribute) + " ").collect()
}

/// Each name of a `use`, by its path.
fn reexported(before: &str, tree: &UseTree, names: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => reexported(&format!("{before}{} :: ", text(&path.ident)), &path.tree, names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| reexported(before, tree, names)),
        leaf => names.push(format!("{before}{}", text(leaf))),
    }
}

impl Declared {
    fn by(client: &str) -> Self {
        let mut declared = Self::default();
        for (_, file) in sources::below(client) {
            declared.items(&file.items);
        }
        declared
    }

    #[allow(clippy::needless_pass_by_value, reason = "callers make both for it")]
    fn add(&mut self, name: String, declaration: String, attributes: &[Attribute]) {
        let declaration = promises(attributes) + &declaration;
        let before = self.0.insert(name.clone(), (declaration, documentation(attributes)));
        assert!(before.is_none(), "{name} is declared twice");
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Use(item) if is_public(&item.vis) => {
                    let mut names = Vec::new();
                    reexported("", &item.tree, &mut names);
                    for name in names {
                        self.add(format!("use {name}"), String::new(), &item.attrs);
                    }
                }
                Item::Struct(item) if is_public(&item.vis) => {
                    let fields = item.fields.iter().filter(|field| is_public(&field.vis)).map(text);
                    let fields = fields.collect::<Vec<_>>().join(", ");
                    let declaration = format!("{} {{ {fields} }}", text(&item.generics));
                    self.add(format!("struct {}", text(&item.ident)), declaration, &item.attrs);
                }
                Item::Enum(item) if is_public(&item.vis) => {
                    let declaration = format!("{} {}", text(&item.generics), text(&item.variants));
                    self.add(format!("enum {}", item.ident), declaration, &item.attrs);
                }
                Item::Trait(item) if is_public(&item.vis) => {
                    let bounds = format!("{} {}", text(&item.generics), text(&item.supertraits));
                    self.add(format!("trait {}", item.ident), bounds, &item.attrs);
                    for member in &item.items {
                        if let TraitItem::Fn(function) = member {
                            let name = format!("{} :: {}", item.ident, function.sig.ident);
                            self.add(name, signature(&function.sig), &function.attrs);
                        }
                    }
                }
                Item::Type(item) if is_public(&item.vis) => {
                    self.add(format!("type {}", item.ident), text(&item.ty), &item.attrs);
                }
                Item::Fn(item) if is_public(&item.vis) => {
                    self.add(format!("fn {}", item.sig.ident), signature(&item.sig), &item.attrs);
                }
                Item::Const(item) if is_public(&item.vis) => {
                    self.add(format!("const {}", item.ident), text(&item.ty), &item.attrs);
                }
                Item::Mod(item) if !sources::is_test(&item.attrs) => {
                    for attribute in item.attrs.iter().filter(|attribute| attribute.path().is_ident("path")) {
                        self.add(format!("shared {}", item.ident), text(&attribute.meta), &[]);
                    }
                    assert!(!is_public(&item.vis), "a public module {}: this test cannot compare it", item.ident);
                    self.items(item.content.as_ref().map_or(&[], |(_, items)| items));
                }
                Item::Impl(item) => self.implementation(item),
                _ => {}
            }
        }
    }

    fn implementation(&mut self, item: &syn::ItemImpl) {
        let subject = text(&item.self_ty);
        let bounds = format!("{} {}", text(&item.generics), text(&item.generics.where_clause));
        if let Some((of, _)) = &item.trait_ {
            self.add(format!("impl {} for {subject}", text(of)), bounds, &item.attrs);
            return;
        }
        for member in &item.items {
            match member {
                ImplItem::Fn(function) if is_public(&function.vis) => {
                    let name = format!("{subject} :: {}", function.sig.ident);
                    self.add(name, format!("{bounds} {}", signature(&function.sig)), &function.attrs);
                }
                ImplItem::Const(constant) if is_public(&constant.vis) => {
                    self.add(format!("{subject} :: {}", constant.ident), text(&constant.ty), &constant.attrs);
                }
                _ => {}
            }
        }
    }

    /// Takes the listed items out, and reports those that are not there.
    fn take_out(&mut self, listed: &[(&str, &str)], wrong: &mut Vec<String>) {
        for (name, _) in listed {
            if self.0.remove(*name).is_none() {
                wrong.push(format!("{name} is not there any more: take it out of the table"));
            }
        }
    }
}

fn both() -> (Declared, Declared) {
    (Declared::by("blocking"), Declared::by("asynchronous"))
}

#[test]
fn both_clients_declare_the_same() {
    let (mut blocking, mut asynchronous) = both();
    assert!(blocking.0.contains_key("shared client"), "the shared source is loaded");
    // Implementations for private types are not part of the interface.
    let types: BTreeSet<String> = public_types(&blocking).union(&public_types(&asynchronous)).cloned().collect();
    let mut wrong = Vec::new();
    for declared in [&mut blocking, &mut asynchronous] {
        declared.0.retain(|name, _| is_interface(name, &types));
    }
    blocking.take_out(&ONLY_BLOCKING, &mut wrong);
    asynchronous.take_out(&ONLY_ASYNC, &mut wrong);

    for (name, (declaration, documentation)) in &blocking.0 {
        match asynchronous.0.get(name) {
            None => wrong.push(format!("only the blocking client has: {name}")),
            Some((other, _)) if other != declaration => {
                wrong.push(format!("{name} differs:\n  blocking {declaration}\n  async    {other}"));
            }
            Some((_, other)) => {
                let differs = documentation != other;
                if differs != OWN_WORDS.iter().any(|(own, _)| own == name) {
                    let how = if differs { "differs" } else { "does not differ any more" };
                    wrong.push(format!("the documentation of {name} {how}"));
                }
            }
        }
    }
    for name in asynchronous.0.keys().filter(|name| !blocking.0.contains_key(*name)) {
        wrong.push(format!("only the async client has: {name}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names of the public types, with those of the shared source.
fn public_types(declared: &Declared) -> BTreeSet<String> {
    let own = declared.0.keys().filter_map(|name| name.strip_prefix("struct ").or(name.strip_prefix("enum ")));
    let mut types: BTreeSet<String> = own.map(str::to_owned).collect();
    for reexported in declared.0.keys().filter(|name| name.starts_with("use client :: ")) {
        let words = reexported.split(' ').filter(|word| word.starts_with(char::is_uppercase));
        types.extend(words.map(str::to_owned));
    }
    types.insert("ScimClient".to_owned());
    // The parameter of an implementation for every function.
    types.insert("F".to_owned());
    types
}

fn is_interface(name: &str, types: &BTreeSet<String>) -> bool {
    match name.strip_prefix("impl ") {
        None => true,
        Some(implemented) => {
            let (_, subject) = implemented.split_once(" for ").unwrap();
            subject.split(' ').next().is_some_and(|subject| types.contains(subject))
        }
    }
}

#[test]
fn everything_that_a_client_declares_is_documented() {
    let (blocking, asynchronous) = both();
    let mut missing = Vec::new();
    for (name, (_, documentation)) in blocking.0.iter().chain(&asynchronous.0) {
        let needs_none = ["use ", "shared ", "impl "].iter().any(|prefix| name.starts_with(prefix));
        if !needs_none && documentation.trim().is_empty() {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "without documentation: {missing:?}");
}

/// What can be moved to another thread, and what can be shared between threads.
mod threads {
    const fn is_sent<T: Send + 'static>() {}
    const fn is_shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}

    macro_rules! client {
        ($client:ident) => {
            use wats_scim::ScimUser;
            use wats_scim::$client::{
                HttpScimRepository, ScimApply, ScimBatch, ScimClient, ScimListing, ScimResources, ScimService,
                WatsService,
            };

            use super::{is_sent, is_shared};

            type Repository = HttpScimRepository<Transport>;

            const _: () = {
                is_shared::<Transport>();
                is_shared::<ScimClient>();
                is_shared::<ScimService<Repository>>();
                is_shared::<Repository>();
                is_sent::<ScimListing<Repository, ScimUser>>();
                is_sent::<ScimBatch<Repository, ScimUser>>();
                is_sent::<ScimApply<Repository>>();
                is_sent::<ScimResources<Repository, ScimUser>>();
                is_sent::<WatsService<Repository>>();
            };
        };
    }

    #[cfg(feature = "blocking")]
    mod blocking {
        use wats_scim::blocking::Ureq as Transport;

        client!(blocking);
    }

    #[cfg(feature = "async")]
    mod asynchronous {
        use wats_scim::asynchronous::Reqwest as Transport;

        client!(asynchronous);
    }
}
