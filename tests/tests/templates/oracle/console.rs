//! What both consoles say to many expressions at once.
//!
//! Packer's console takes every line of a pipe, says what is wrong with each, and shows the value of
//! the last one only. So the refusals come from one process, with lines between that name a variable
//! nobody has, and the values from tuples of expressions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Result, ensure};

use super::programs::{Program, World};

/// How many expressions share a tuple.
const TUPLE: usize = 60;

/// Expressions with their numbers.
pub type Numbered<'a> = (usize, &'a str);

/// The template and flags that a console is started with.
#[derive(Debug)]
pub struct Console<'a> {
    /// Where the template is.
    pub world: &'a World,
    /// What follows `console`.
    pub words: Vec<String>,
}

/// What the consoles made of expressions: where they are not there, they are refused.
#[derive(Debug, Default)]
pub struct Answers {
    /// What kiln says, by number.
    pub kiln: BTreeMap<usize, String>,
    /// What Packer says, by number.
    pub packer: BTreeMap<usize, String>,
}

impl Console<'_> {
    /// What both say.
    pub fn ask(&self, all: &[Numbered<'_>]) -> Result<Answers> {
        let ours = self.refused(Program::Kiln, all)?;
        let theirs = self.refused(Program::Packer, all)?;
        let mut answers = Answers::default();
        let mut both = Vec::new();
        for (number, text) in all {
            match (ours.contains(number), theirs.contains(number)) {
                (true, true) => {}
                (false, false) => both.push((*number, *text)),
                (true, false) => self.alone(Program::Packer, *number, text, &mut answers.packer)?,
                (false, true) => self.alone(Program::Kiln, *number, text, &mut answers.kiln)?,
            }
        }
        for tuple in both.chunks(TUPLE) {
            self.same(tuple, &mut answers)?;
        }
        Ok(answers)
    }

    fn answer(&self, program: Program, input: &str) -> Result<String> {
        let mut words = vec!["console"];
        words.extend(self.words.iter().map(String::as_str));
        let ran = self.world.run_with(program, &words, input)?;
        Ok(ran.text)
    }

    /// The numbers of those that a console says something about.
    fn refused(&self, program: Program, all: &[Numbered<'_>]) -> Result<BTreeSet<usize>> {
        let mut input = String::new();
        for (number, text) in all {
            writeln!(input, "between_{number}_lines\n{text}")?;
        }
        input.push_str("between_last_lines\n\"the end\"\n");
        let said = self.answer(program, &input)?;
        let mut refused = BTreeSet::new();
        let (mut current, mut seen) = (None, 0);
        for block in said.split("Error: ").skip(1) {
            let name = block.split("between_").nth(1);
            if let Some(name) = name.and_then(|rest| rest.split_once("_lines")) {
                current = name.0.parse::<usize>().ok();
                seen += 1;
            } else if let Some(number) = current {
                refused.insert(number);
            }
        }
        ensure!(
            seen == all.len() + 1 && said.trim_end().ends_with("the end"),
            "{program:?} answered {seen} of {} expressions:\n{said}",
            all.len()
        );
        Ok(refused)
    }

    fn alone(
        &self,
        program: Program,
        number: usize,
        text: &str,
        answers: &mut BTreeMap<usize, String>,
    ) -> Result<()> {
        let said = self.answer(program, &format!("{text}\n"))?;
        answers.insert(number, said.trim_end().to_owned());
        Ok(())
    }

    fn same(&self, all: &[Numbered<'_>], answers: &mut Answers) -> Result<()> {
        let texts: Vec<&str> = all.iter().map(|(_, text)| *text).collect();
        let input = format!("[({})]\n", texts.join("), ("));
        let ours = elements(&self.answer(Program::Kiln, &input)?);
        let theirs = elements(&self.answer(Program::Packer, &input)?);
        if ours.len() == all.len() && theirs.len() == all.len() {
            for ((number, _), (ours, theirs)) in all.iter().zip(ours.into_iter().zip(theirs)) {
                answers.kiln.insert(*number, ours);
                answers.packer.insert(*number, theirs);
            }
        } else if let [(number, text)] = all {
            self.alone(Program::Kiln, *number, text, &mut answers.kiln)?;
            self.alone(Program::Packer, *number, text, &mut answers.packer)?;
        } else {
            let (left, right) = all.split_at(all.len() / 2);
            self.same(left, answers)?;
            self.same(right, answers)?;
        }
        Ok(())
    }
}

/// The elements of a tuple as a console shows it: each begins on a line with two spaces in front.
fn elements(shown: &str) -> Vec<String> {
    let mut elements: Vec<String> = Vec::new();
    let inside = shown.trim_end().strip_prefix("[\n");
    let inside = inside.and_then(|text| text.strip_suffix("\n]"));
    for line in inside.unwrap_or_default().lines() {
        let begins = line
            .strip_prefix("  ")
            .is_some_and(|rest| !rest.starts_with([' ', ']', '}']));
        match elements.last_mut() {
            Some(last) if !begins => {
                last.push('\n');
                last.push_str(line);
            }
            _ => elements.push(line.to_owned()),
        }
    }
    elements
}
