//! The tables B1, B2 and B3 of dmonad/crdt-benchmarks; ../../../README.md says what is timed.
use crate::inputs::{client_id, many_users, one_user, two_users, Operation, CLIENTS, LINES};
use crate::measure::{repeat, timed, Line, Sample};
use crate::readout::{readout, state_text, Kind};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use yrs::updates::decoder::Decode;
use yrs::{Any, Array, ArrayRef, Doc, Map, MapRef, OffsetKind, ReadTxn, StateVector, Text, TextRef, Transact};
use yrs::{TransactionMut, Update};

/// A document with the three roots that the tables use; `updates` gets each local transaction's V2 update.
struct Document {
    doc: Doc,
    text: TextRef,
    array: ArrayRef,
    map: MapRef,
    updates: Rc<RefCell<Vec<Vec<u8>>>>,
    silent: Rc<RefCell<bool>>,
}

impl Document {
    fn new(client: u64, observed: bool) -> Self {
        let doc = Doc::with_options(yrs::Options {
            client_id: yrs::block::ClientID::new(client),
            offset_kind: OffsetKind::Utf16,
            ..yrs::Options::default()
        });
        let (text, array) = (doc.get_or_insert_text("text"), doc.get_or_insert_array("array"));
        let map = doc.get_or_insert_map("map");
        let (updates, silent) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(false)));
        if observed {
            let (updates, silent) = (updates.clone(), silent.clone());
            let keep = move |_: &TransactionMut, event: &yrs::UpdateEvent| {
                if !*silent.borrow() {
                    updates.borrow_mut().push(event.update.clone());
                }
            };
            doc.observe_update_v2("bench", keep).unwrap();
        }
        Document { doc, text, array, map, updates, silent }
    }

    fn perform(&self, txn: &mut TransactionMut, operation: &Operation) {
        match operation {
            Operation::Insert(index, text) => self.text.insert(txn, *index, text),
            Operation::Delete(index, length) => self.text.remove_range(txn, *index, *length),
            Operation::InsertNumbers(index, numbers) => {
                self.array.insert_range(txn, *index, numbers.iter().map(|number| Any::from(*number)))
            }
            Operation::InsertElement(text) => {
                self.array.insert(txn, 0, text.as_str());
            }
            Operation::SetNumber(number) => {
                self.map.insert(txn, "v", *number);
            }
            Operation::SetString(text) => {
                self.map.insert(txn, "v", text.as_str());
            }
            Operation::SetUser(name) => {
                let user = HashMap::from([
                    ("name".to_owned(), Any::from(name.as_str())),
                    ("address".to_owned(), Any::from("here")),
                ]);
                self.map.insert(txn, "v", Any::from(user));
            }
        }
    }

    fn apply(&self, updates: &[Vec<u8>]) {
        *self.silent.borrow_mut() = true;
        {
            let mut txn = self.doc.transact_mut();
            for update in updates {
                txn.apply_update(Update::decode_v2(update).unwrap()).unwrap();
            }
        }
        *self.silent.borrow_mut() = false;
    }

    fn encode(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v2(&StateVector::default())
    }

    fn readout(&self, kind: Kind) -> String {
        readout(&self.doc, kind, "text")
    }
}

fn kind_of(line: &str) -> Kind {
    match line {
        "B1.8" | "B1.9" | "B1.10" | "B1.11" | "B3.4" => Kind::Array,
        "B3.1" | "B3.2" | "B3.3" => Kind::Map,
        _ => Kind::Text,
    }
}

fn size_of(updates: &[Vec<u8>]) -> usize {
    updates.iter().map(Vec::len).sum()
}

/// What a task leaves: the document at the end, the size of the updates that were sent, what was timed.
struct Done {
    document: Document,
    bytes: usize,
    sample: Sample,
}

fn run_one_user(line: &str, operations: &[Operation]) -> Done {
    let first = Document::new(client_id(0), true);
    let second = Document::new(client_id(1), false);
    let (bytes, sample) = timed(
        || {
            for operation in operations {
                first.perform(&mut first.doc.transact_mut(), operation);
            }
            let updates = first.updates.borrow();
            for update in updates.iter() {
                second.apply(std::slice::from_ref(update));
            }
            size_of(&updates)
        },
        |_| second.readout(kind_of(line)),
    );
    Done { document: second, bytes, sample }
}

fn run_two_users(start: &str, operations: &[Vec<Operation>; 2]) -> Done {
    let documents = [Document::new(client_id(0), true), Document::new(client_id(1), true)];
    documents[0].text.insert(&mut documents[0].doc.transact_mut(), 0, start);
    documents[1].apply(&documents[0].updates.take());
    let mut seen = [String::new(), String::new()];
    let (bytes, sample) = timed(
        || {
            for (document, operations) in documents.iter().zip(operations) {
                let mut txn = document.doc.transact_mut();
                for operation in operations {
                    document.perform(&mut txn, operation);
                }
            }
            documents[1].apply(&documents[0].updates.borrow());
            documents[0].apply(&documents[1].updates.borrow());
            size_of(&documents[0].updates.borrow()) + size_of(&documents[1].updates.borrow())
        },
        |_| {
            seen = [documents[0].readout(Kind::Text), documents[1].readout(Kind::Text)];
            seen[0].clone()
        },
    );
    assert_eq!(seen[0], seen[1], "the two documents differ");
    let [document, _] = documents;
    Done { document, bytes, sample }
}

fn make_updates(operations: &[Operation]) -> Vec<Vec<u8>> {
    let mut updates = Vec::new();
    for (i, operation) in operations.iter().enumerate() {
        let document = Document::new(client_id(i as u32), true);
        document.perform(&mut document.doc.transact_mut(), operation);
        updates.append(&mut document.updates.borrow_mut());
    }
    updates
}

fn run_many_users(line: &str, operations: &[Operation], updates: &[Vec<u8>]) -> Done {
    let document = Document::new(client_id(1), false);
    document.perform(&mut document.doc.transact_mut(), &operations[1]);
    let ((), sample) = timed(|| document.apply(updates), |_| document.readout(kind_of(line)));
    Done { document, bytes: size_of(updates), sample }
}

/// Gives what prepares and times the task of a line once.
fn task_of(line: &'static str) -> Box<dyn Fn() -> Done> {
    match &line[..2] {
        "B1" => {
            let operations = one_user(line);
            Box::new(move || run_one_user(line, &operations))
        }
        "B2" => {
            let (start, operations) = two_users(line);
            Box::new(move || run_two_users(&start, &operations))
        }
        _ => {
            let operations = many_users(line);
            let updates = make_updates(&operations);
            Box::new(move || run_many_users(line, &operations, &updates))
        }
    }
}

/// Prints a line of the tables: the task, then encoding its document, then loading that into an empty one.
fn run_line(line: &'static str, seconds: f64) {
    let task = task_of(line);
    let (mut encoded, mut state, mut bytes) = (Vec::new(), String::new(), 0);
    let best = repeat(seconds, || {
        let done = task();
        (encoded, state, bytes) = (done.document.encode(), state_text(&done.document.doc), done.bytes);
        done.sample
    });
    let encode = repeat(seconds / 4.0, || {
        let document = task().document;
        timed(|| document.encode(), |_| String::new()).1
    });
    let parse = repeat(seconds / 4.0, || {
        let document = Document::new(client_id(CLIENTS), false);
        timed(|| document.apply(std::slice::from_ref(&encoded)), |_| document.readout(kind_of(line))).1
    });
    assert_eq!(parse.best.check, best.best.check, "{line}: what was encoded and loaded differs");
    Line::new("crdtbench")
        .text("line", line)
        .times(&best)
        .ms("encode_ms", encode.best.ms)
        .ms("parse_ms", parse.best.ms)
        .ms("parse_core_ms", parse.best.core_ms)
        .count("update_bytes", bytes)
        .count("document_bytes", encoded.len())
        .text("state_vector", &state)
        .print();
}

/// Of all lines, or of the one that is wanted.
pub fn run(wanted: &str, seconds: f64) -> Result<(), String> {
    let mut found = false;
    for line in LINES {
        if wanted.is_empty() || wanted == line {
            run_line(line, seconds);
            found = true;
        }
    }
    if found {
        Ok(())
    } else {
        Err(format!("the tables have no line {wanted}"))
    }
}
