//! Modules depend on each other in one direction: each may use those before it, and none behind it.

mod sources;

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, ItemUse, Macro, UseTree};

/// The layers, the lowest first. Modules of one layer do not use each other.
const LAYERS: [&[&str]; 15] = [
    &["outside"],
    &["error"],
    &["model"],
    &["wats"],
    &["audit"],
    &["config"],
    &["exchange"],
    &["batch"],
    &["listing"],
    &["plan"],
    &["import", "probe"],
    &["example"],
    &["client"],
    // `asynchronous::OnThreads` runs a transport of the blocking API.
    &["blocking"],
    &["asynchronous"],
];

/// Files of `src/` that put the modules together, or stand beside them.
const OUTSIDE: [&str; 4] = ["lib.rs", "fuzzing.rs", "guide.rs", "transport.rs"];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// What one file uses of the crate, apart from its own module.
struct Uses {
    /// The modules around the place that is visited, the outermost first.
    path: Vec<String>,
    found: BTreeSet<String>,
}

impl Uses {
    /// Takes in a path: from the crate's root, or from a module around this one by `super`.
    fn take(&mut self, segments: &[String]) {
        let up = segments.iter().take_while(|segment| *segment == "super").count();
        let target = match segments.first().map(String::as_str) {
            Some("crate") => segments.get(1),
            // The client is not in `src/client` for the compiler, but in each client that loads it.
            Some("super") if up >= self.path.len() && self.path[0] != "client" => segments.get(up),
            _ => None,
        };
        self.found.extend(target.filter(|target| **target != self.path[0]).cloned());
    }

    fn take_tree(&mut self, before: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.take_tree(before, &path.tree);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take_tree(before, tree)),
            UseTree::Name(name) => self.take_leaf(before, name.ident.to_string()),
            UseTree::Rename(rename) => self.take_leaf(before, rename.ident.to_string()),
            UseTree::Glob(_) => self.take_leaf(before, "*".to_owned()),
        }
    }

    fn take_leaf(&mut self, before: &mut Vec<String>, name: String) {
        before.push(name);
        self.take(before);
        before.pop();
    }

    /// Paths in the arguments of macros, which are not parsed.
    fn take_tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut is_separated = false;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => is_separated = true,
                TokenTree::Ident(ident) => {
                    if !is_separated {
                        self.take(&std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    is_separated = false;
                }
                other => {
                    self.take(&std::mem::take(&mut path));
                    if let TokenTree::Group(group) = other {
                        self.take_tokens(group.stream());
                    }
                }
            }
        }
        self.take(&path);
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Mod(module) if !sources::is_test(&module.attrs) => {
                self.path.push(module.ident.to_string());
                visit::visit_item_mod(self, module);
                self.path.pop();
                return;
            }
            Item::Mod(module) => &module.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !sources::is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.take_tree(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.take(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.take_tokens(called.tokens.clone());
    }
}

/// The modules around the contents of a file.
fn module_path(file: &Path) -> Vec<String> {
    let names = file.with_extension("");
    let names = names.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "mod").collect()
}

fn uses(path: Vec<String>, file: &syn::File) -> BTreeSet<String> {
    let mut uses = Uses { path, found: BTreeSet::new() };
    uses.visit_file(file);
    uses.found
}

#[test]
fn arrows_between_modules_run_one_way() {
    let mut wrong = Vec::new();
    for (file, parsed) in sources::below("") {
        if OUTSIDE.iter().any(|name| file == Path::new(name)) {
            continue;
        }
        let path = module_path(&file);
        let from = path[0].clone();
        if layer(&from).is_none() {
            wrong.push(format!("{} is in no layer", file.display()));
        }
        for to in uses(path, &parsed) {
            if layer(&to).is_none() {
                wrong.push(format!("{} uses crate::{to}: name the module that has it", file.display()));
            } else if layer(&to) >= layer(&from) {
                wrong.push(format!("{} uses crate::{to}, which is not below {from}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_way_to_use_a_module_is_seen() {
    let of = |text: &str| {
        let found = uses(vec!["model".to_owned(), "user".to_owned()], &syn::parse_file(text).unwrap());
        found.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("use crate::{plan::Plan, audit::{self, Log}};"), "audit plan");
    assert_eq!(of("use crate::plan as other;"), "plan");
    assert_eq!(of("use super::super::plan::Plan;"), "plan");
    assert_eq!(of("use super::group::Group; use crate::model::Meta;"), "");
    assert_eq!(of("mod inner { use super::super::super::plan::Plan; use super::super::group; }"), "plan");
    assert_eq!(of("fn f() -> crate::plan::Plan { crate::audit::log() }"), "audit plan");
    assert_eq!(of("fn f() { println!(\"{}\", crate::plan::name(&[crate::audit::NAME])) }"), "audit plan");
    assert_eq!(of("macro_rules! m { () => { $crate::plan::Plan } }"), "plan");
    assert_eq!(of("#[cfg(test)] mod tests { use crate::plan::Plan; }"), "");
    assert_eq!(of("#[cfg(test)] use crate::plan::Plan;"), "");
    assert_eq!(of("#[cfg(feature = \"test\")] use crate::plan::Plan;"), "plan");
}

/// The names of the methods of an item of the client.
fn methods(is_wanted: impl Fn(&Item) -> bool) -> BTreeSet<String> {
    let sources = sources::below("client");
    let item = sources.iter().flat_map(|(_, file)| &file.items).find(|item| is_wanted(item)).unwrap();
    let name = |signature: &syn::Signature| signature.ident.to_string();
    let of_trait =
        |item: &syn::TraitItem| if let syn::TraitItem::Fn(method) = item { Some(name(&method.sig)) } else { None };
    let of_impl =
        |item: &syn::ImplItem| if let syn::ImplItem::Fn(method) = item { Some(name(&method.sig)) } else { None };
    match item {
        Item::Trait(item) => item.items.iter().filter_map(of_trait).collect(),
        Item::Impl(item) => item.items.iter().filter_map(of_impl).collect(),
        _ => BTreeSet::new(),
    }
}

/// The default of a method would hide what the repository in the box does.
#[test]
fn a_boxed_repository_passes_every_method_on() {
    let expected = methods(|item| matches!(item, Item::Trait(item) if item.ident == "ScimRepository"));
    assert!(expected.len() > 10);
    let found = methods(|item| {
        let Item::Impl(item) = item else { return false };
        let is_boxed = matches!(&*item.self_ty, syn::Type::Path(ty) if ty.path.is_ident("DynScimRepository"));
        is_boxed && item.trait_.as_ref().is_some_and(|(path, _)| path.is_ident("ScimRepository"))
    });
    assert_eq!(found, expected);
}
