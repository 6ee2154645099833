//! CSV.

use std::collections::BTreeMap;

use crate::types::Type;
use crate::value::Value;

use super::arguments::text;
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

/// What a cell costs an evaluation.
const CELL_UNITS: usize = 4;

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "csvdecode",
    &[Parameter::new("str", Kind::String)],
    ResultType::Is(Kind::Any),
    decode,
)];

/// A list of objects, one for each row behind the header; every value is a string.
fn decode(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let problem = |message: String| FunctionError::call_at(0, message);
    let mut records = Records::new(text(&args, 0));
    let header = match records.next() {
        None => return Err(problem("missing header line".to_owned())),
        Some(header) => header.map_err(problem)?,
    };
    let mut types = BTreeMap::new();
    for name in &header.cells {
        if types.insert(name.clone(), Type::String).is_some() {
            return Err(problem(format!("duplicate column name {name:?}")));
        }
    }
    let mut rows = Vec::new();
    for record in records {
        let record = record.map_err(problem)?;
        let (wanted, have) = (header.cells.len(), record.cells.len());
        if have != wanted {
            return Err(problem(format!(
                "CSV parse error on line {}: wrong number of fields: {have} instead of {wanted}",
                record.line
            )));
        }
        context.limits.spend(CELL_UNITS * (have + 1))?;
        let cells = header.cells.iter().zip(record.cells);
        rows.push(Value::object_of(
            cells.map(|(name, cell)| (name.as_str(), Value::string(cell))),
        ));
    }
    Ok(Value::list(Type::object(types), rows))
}

/// A line of CSV, or several when a cell in quotes goes over them.
struct Record {
    /// The first line, counted from one.
    line: usize,
    cells: Vec<String>,
}

/// The records of a text, read as Go reads them: a quote may stand only around a whole cell, or
/// doubled in such a one; empty lines do not count; a line ends with `\n` or `\r\n`, which is `\n`
/// in a cell, too.
struct Records<'t> {
    rest: &'t str,
    /// Lines read.
    line: usize,
}

impl<'t> Records<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            rest: text,
            line: 0,
        }
    }

    /// The next line without its break, and whether it has one.
    fn take_line(&mut self) -> Option<(&'t str, bool)> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let (line, broken) = match self.rest.split_once('\n') {
            Some((line, rest)) => {
                self.rest = rest;
                (line, true)
            }
            None => (std::mem::take(&mut self.rest), false),
        };
        // At the very end of the text, `\r` alone ends a line.
        Some((line.strip_suffix('\r').unwrap_or(line), broken))
    }

    fn record(&mut self, first: &'t str, broken: bool) -> Result<Record, String> {
        let line = self.line;
        let mut cells = Vec::new();
        let (mut rest, mut broken) = (first, broken);
        loop {
            let Some(quoted) = rest.strip_prefix('"') else {
                let (cell, after) = match rest.split_once(',') {
                    Some((cell, after)) => (cell, Some(after)),
                    None => (rest, None),
                };
                if cell.contains('"') {
                    return Err(self.problem("bare \" in non-quoted-field"));
                }
                cells.push(cell.to_owned());
                match after {
                    Some(after) => rest = after,
                    None => return Ok(Record { line, cells }),
                }
                continue;
            };
            let (cell, after) = self.quoted_cell(quoted, &mut broken)?;
            cells.push(cell);
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None if after.is_empty() => return Ok(Record { line, cells }),
                None => return Err(self.problem("extraneous or missing \" in quoted-field")),
            }
        }
    }

    /// The cell whose opening quote `text` follows, and what is behind the closing one.
    fn quoted_cell(
        &mut self,
        text: &'t str,
        broken: &mut bool,
    ) -> Result<(String, &'t str), String> {
        let (mut cell, mut rest) = (String::new(), text);
        loop {
            match rest.split_once('"') {
                Some((part, after)) => {
                    cell.push_str(part);
                    match after.strip_prefix('"') {
                        Some(after) => {
                            cell.push('"');
                            rest = after;
                        }
                        None => return Ok((cell, after)),
                    }
                }
                None => {
                    cell.push_str(rest);
                    if *broken {
                        cell.push('\n');
                    }
                    (rest, *broken) = self
                        .take_line()
                        .ok_or_else(|| self.problem("extraneous or missing \" in quoted-field"))?;
                }
            }
        }
    }

    fn problem(&self, what: &str) -> String {
        format!("CSV parse error on line {}: {what}", self.line)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (line, broken) = self.take_line()?;
            if !line.is_empty() {
                return Some(self.record(line, broken));
            }
        }
    }
}
