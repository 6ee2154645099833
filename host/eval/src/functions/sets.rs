//! Sets, and the product of sets or lists.

use crate::convert::{convert, unify};
use crate::equality;
use crate::types::Type;
use crate::value::Value;

use super::arguments::sequence;
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType, foreseen};

const SET: ResultType = ResultType::Foreseen(Kind::AnySet, foreseen::common_set);
const FIRST: &[Parameter] = &[Parameter::new("first_set", Kind::AnySet)];
const OTHERS: Parameter = Parameter::new("other_sets", Kind::AnySet);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("setintersection", FIRST, SET, |_, args| {
        let (element, mut sets) = same_sets(args)?;
        let first = sets.remove(0);
        let in_all = |value: &Value| sets.iter().all(|set| has(set, value));
        Ok(Value::set(
            element,
            first.into_iter().filter(in_all).collect(),
        ))
    })
    .and_more(OTHERS),
    Function::new("setunion", FIRST, SET, |_, args| {
        let (element, sets) = same_sets(args)?;
        Ok(Value::set(element, sets.into_iter().flatten().collect()))
    })
    .and_more(OTHERS),
    Function::new(
        "setproduct",
        &[],
        ResultType::Foreseen(Kind::Any, foreseen::set_product),
        set_product,
    )
    .and_more(
        Parameter::new("sets", Kind::Any)
            .partly_known()
            .with_marks(),
    ),
];

fn has(sorted: &[Value], value: &Value) -> bool {
    sorted
        .binary_search_by(|element| equality::set_order(element, value))
        .is_ok()
}

/// The sets with their elements brought to one type, each sorted.
fn same_sets(args: Vec<Value>) -> Result<(Type, Vec<Vec<Value>>), FunctionError> {
    // An empty set of no type in particular must not decide.
    let typed = args
        .iter()
        .filter(|set| set.ty.element() != Some(&Type::Dynamic));
    let types: Vec<Type> = typed.map(|set| set.ty.clone()).collect();
    let ty = match types.is_empty() {
        true => Type::set(Type::Dynamic),
        false => unify(&types).ok_or_else(|| {
            FunctionError::new("given sets must all have compatible element types")
        })?,
    };
    let element = ty.element().cloned().unwrap_or(Type::Dynamic);
    let mut sets = Vec::with_capacity(args.len());
    for set in args {
        let set = convert(set, &ty)?;
        sets.push(sequence(&[set], 0).to_vec());
    }
    Ok((element, sets))
}

/// All combinations of one element of each argument. Lists and tuples alone give a list in order;
/// with a set among them there is no order to keep, and the result is a set.
fn set_product(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    if args.len() < 2 {
        return Err(FunctionError::new("at least two arguments are required"));
    }
    let mut total: usize = 1;
    let (mut any_set, mut sensitive) = (false, false);
    let mut inputs: Vec<(Type, Vec<Value>)> = Vec::new();
    for (at, arg) in args.into_iter().enumerate() {
        any_set |= matches!(arg.ty, Type::Set(_));
        sensitive |= arg.sensitive;
        if !arg.ty.is_sequence() {
            return Err(FunctionError::argument(at, "a set or a list is required"));
        }
        let list = convert(arg, &Type::list(Type::Dynamic))
            .map_err(|error| FunctionError::argument(at, error.to_string()))?;
        let element = list.ty.element().cloned().unwrap_or(Type::Dynamic);
        let elements = sequence(&[list], 0).to_vec();
        total = total.saturating_mul(elements.len());
        inputs.push((element, elements));
    }
    context.limits.spend(total.saturating_mul(inputs.len()))?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for (_, elements) in &inputs {
        let extend = |row: &Vec<Value>| {
            let row = row.clone();
            elements
                .iter()
                .map(move |element| [row.as_slice(), std::slice::from_ref(element)].concat())
        };
        rows = rows.iter().flat_map(extend).collect();
    }
    let of = Type::Tuple(inputs.into_iter().map(|(element, _)| element).collect());
    let rows: Vec<Value> = rows.into_iter().map(Value::tuple).collect();
    let product = if any_set {
        Value::set(of, rows)
    } else {
        Value::list(of, rows)
    };
    Ok(product.marked_like(sensitive))
}
