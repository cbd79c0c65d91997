//! What a shared type holds, as text: the form that content_text.h describes.
use std::fmt::Write;
use yrs::branch::{Branch, BranchPtr};
use yrs::types::text::YChange;
use yrs::types::TypeRef;
use yrs::{Any, Array, ArrayRef, Map, MapRef, Number, Out, Text, TextRef, Transaction};

const WHOLE_BELOW: f64 = 9223372036854775808.0;

fn put_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\x1f' => write!(out, "\\x{:02x}", c as u32).unwrap(),
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn put_number(number: &Number, out: &mut String) {
    match *number {
        Number::Int(value) => write!(out, "{value}"),
        Number::Float(value) if value.is_nan() => write!(out, "NaN"),
        Number::Float(value) if value.trunc() == value && value.abs() < WHOLE_BELOW => write!(out, "{}", value as i64),
        Number::Float(value) => write!(out, "0x{:016x}", value.to_bits()),
    }
    .unwrap();
}

fn put_entries<T>(mut entries: Vec<(&str, T)>, out: &mut String, put: impl Fn(&T, &mut String)) {
    entries.sort_by(|a, b| a.0.cmp(b.0));
    out.push('{');
    for (key, value) in &entries {
        put_text(key, out);
        out.push(':');
        put(value, out);
        out.push(' ');
    }
    out.push('}');
}

fn put_any(any: &Any, out: &mut String) {
    match any {
        Any::Null => out.push_str("null"),
        Any::Undefined => out.push_str("undefined"),
        Any::Bool(value) => write!(out, "{value}").unwrap(),
        Any::Number(number) => put_number(number, out),
        Any::String(text) => put_text(text, out),
        Any::Buffer(bytes) => {
            out.push_str("bytes ");
            bytes.iter().for_each(|byte| write!(out, "{byte:02x}").unwrap());
        }
        Any::Array(values) => {
            out.push('[');
            for value in values.iter() {
                put_any(value, out);
                out.push(' ');
            }
            out.push(']');
        }
        Any::Map(map) => {
            put_entries(map.iter().map(|(key, value)| (key.as_str(), value)).collect(), out, |v, out| put_any(v, out))
        }
    }
}

fn put_value(value: &Out, txn: &Transaction, out: &mut String) {
    match value {
        Out::Any(any) => put_any(any, out),
        Out::YDoc(doc) => {
            out.push_str("document ");
            put_text(&doc.guid(), out);
        }
        shared => {
            let branch = shared.try_branch().expect("a shared type has a branch");
            put_type(branch, branch.type_ref().kind(), txn, out);
        }
    }
}

/// Runs of text with the same attributes are one, whatever items they lie in.
fn put_delta(branch: BranchPtr, txn: &Transaction, out: &mut String) {
    let mut open: Option<(String, String)> = None;
    let close = |run: Option<(String, String)>, out: &mut String| {
        if let Some((text, attributes)) = run {
            put_text(&text, out);
            out.push_str(&attributes);
            out.push(' ');
        }
    };
    for step in TextRef::from(branch).diff(txn, YChange::identity) {
        let mut attributes = String::new();
        if let Some(given) = step.attributes.filter(|given| !given.is_empty()) {
            let entries = given.iter().map(|(key, value)| (&**key, value)).collect();
            put_entries(entries, &mut attributes, |value, out| put_any(value, out));
        }
        match step.insert {
            Out::Any(Any::String(text)) => match &mut open {
                Some((run, with)) if *with == attributes => run.push_str(&text),
                _ => close(open.replace((text.to_string(), attributes)), out),
            },
            embed => {
                close(open.take(), out);
                put_value(&embed, txn, out);
                out.push_str(&attributes);
                out.push(' ');
            }
        }
    }
    close(open, out);
}

/// Not where text stands in a list whose elements are asked for, as happens when peers disagree what a root is: yrs's
/// iterator doesn't end at a surrogate pair there.
pub fn is_readable(branch: &Branch, kind: u8, txn: &Transaction) -> bool {
    matches!(kind, 2 | 6)
        || !TextRef::from(BranchPtr::from(branch))
            .diff(txn, YChange::identity)
            .iter()
            .any(|step| matches!(step.insert, Out::Any(Any::String(_))))
}

/// What `branch` holds, taken for a type of yjs's number `kind`.
pub fn put_type(branch: &Branch, kind: u8, txn: &Transaction, out: &mut String) {
    const NAMES: [&str; 7] = ["array", "map", "text", "element", "fragment", "hook", "xmltext"];
    out.push_str(NAMES.get(kind as usize).unwrap_or(&"untyped"));
    match branch.type_ref() {
        TypeRef::XmlElement(name) if !name.is_empty() => {
            out.push(' ');
            put_text(name, out);
        }
        _ => {}
    }
    let pointer = BranchPtr::from(branch);
    out.push('[');
    match kind {
        2 | 6 => put_delta(pointer, txn, out),
        0 | 3 | 4 => {
            for value in ArrayRef::from(pointer).iter(txn) {
                put_value(&value, txn, out);
                out.push(' ');
            }
        }
        _ => {}
    }
    out.push(']');
    if !matches!(kind, 0 | 2 | 4) {
        let map = MapRef::from(pointer);
        put_entries(map.iter(txn).collect(), out, |value, out| put_value(value, txn, out));
    }
}
