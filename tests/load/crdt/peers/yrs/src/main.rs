//! Runs one case of yrs and prints a JSON object for it: ../../../README.md has the cases and the arguments.
mod cases;
mod files;
mod inputs;
mod measure;
mod memory;
mod readout;
mod tables;

pub struct Options {
    case: String,
    data: String,
    updates: String,
    trace: String,
    format: String,
    root: String,
    line: String,
    seconds: f64,
}

fn parse() -> Result<Options, String> {
    let mut options = Options {
        case: String::new(),
        data: String::new(),
        updates: String::new(),
        trace: String::new(),
        format: "v2".into(),
        root: "text".into(),
        line: String::new(),
        seconds: 0.5,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("{name} needs a value"))?;
        match name.as_str() {
            "--case" => options.case = value,
            "--data" => options.data = value,
            "--updates" => options.updates = value,
            "--trace" => options.trace = value,
            "--format" => options.format = value,
            "--root" => options.root = value,
            "--line" => options.line = value,
            "--seconds" => options.seconds = value.parse().map_err(|_| format!("--seconds {value}: no number"))?,
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    match options.case.as_str() {
        "b4_apply_one_by_one" => cases::apply_updates(options, 1),
        "b4_apply_batches_of_100" => cases::apply_updates(options, 100),
        "b4_local_replay" => cases::local_replay(options),
        "b4_load" => cases::load(options),
        "b4_encode" => cases::encode_after_an_edit(options),
        "b4_merge_16000" => cases::merge(options, 16_000),
        "b4_merge" => cases::merge(options, usize::MAX),
        "b4x1" => cases::b4_repeated(options, 1),
        "b4x100" => cases::b4_repeated(options, 100),
        "trace_load_encode" => cases::load_and_encode_trace(options),
        "trace_memory" => cases::trace_memory(options),
        "crdtbench" => tables::run(&options.line, options.seconds)?,
        case => return Err(format!("no case {case}")),
    }
    Ok(())
}

fn main() {
    if let Err(error) = parse().and_then(|options| run(&options)) {
        eprintln!("peers/yrs: {error}");
        std::process::exit(2);
    }
}
