//! Networks and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use num_traits::ToPrimitive;

use crate::number as arithmetic;
use crate::value::Value;

use super::arguments::{number, text, whole};
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

const PREFIX: Parameter = Parameter::new("prefix", Kind::String);
const STRING: ResultType = ResultType::Is(Kind::String);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "cidrhost",
        &[PREFIX, Parameter::new("hostnum", Kind::Number)],
        STRING,
        host,
    ),
    Function::new("cidrnetmask", &[PREFIX], STRING, netmask),
    Function::new(
        "cidrsubnet",
        &[
            PREFIX,
            Parameter::new("newbits", Kind::Number),
            Parameter::new("netnum", Kind::Number),
        ],
        STRING,
        subnet,
    ),
    Function::new(
        "cidrsubnets",
        &[PREFIX],
        ResultType::Is(Kind::StringList),
        subnets,
    )
    .and_more(Parameter::new("newbits", Kind::Number)),
];

/// A network as numbers, so that both families are computed alike.
#[derive(Clone, Copy)]
struct Network {
    base: u128,
    prefix: u8,
    width: u8,
}

fn parse(args: &[Value]) -> Result<Network, FunctionError> {
    let text = text(args, 0);
    let problem = || {
        FunctionError::argument(
            0,
            format!("invalid CIDR expression: invalid CIDR address: {text}"),
        )
    };
    // The address alone is read by the standard library, which refuses `010.0.0.0`: to some that
    // is octal.
    let (address, _) = text.split_once('/').ok_or_else(problem)?;
    address.parse::<IpAddr>().map_err(|_| problem())?;
    let network: IpNet = text.parse().map_err(|_| problem())?;
    let base = match network.network() {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    Ok(Network {
        base,
        prefix: network.prefix_len(),
        width: network.max_prefix_len(),
    })
}

impl Network {
    /// How many addresses fit behind `prefix` bits, less one.
    fn last_of(self, prefix: u8) -> u128 {
        match self.width - prefix {
            0 => 0,
            bits => u128::MAX >> (128 - u32::from(bits)),
        }
    }

    fn address(self, value: u128) -> IpAddr {
        match u32::try_from(value) {
            Ok(value) if self.width == 32 => IpAddr::V4(Ipv4Addr::from(value)),
            _ => IpAddr::V6(Ipv6Addr::from(value)),
        }
    }

    fn longer(self, bits: i64, at: usize) -> Result<u8, FunctionError> {
        let prefix = i64::from(self.prefix).saturating_add(bits);
        match u8::try_from(prefix) {
            Ok(prefix) if bits >= 0 && prefix <= self.width => Ok(prefix),
            _ if bits < 0 => Err(FunctionError::argument(
                at,
                "the number of new bits must not be negative",
            )),
            _ => Err(FunctionError::argument(
                at,
                format!(
                    "insufficient address space to extend prefix of {} by {bits}",
                    self.prefix
                ),
            )),
        }
    }
}

fn host(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let network = parse(&args)?;
    let wanted = number(&args, 1);
    if !arithmetic::is_whole(wanted) {
        return Err(FunctionError::argument(1, "a whole number is required"));
    }
    let last = network.last_of(network.prefix);
    let problem = || {
        FunctionError::argument(
            1,
            format!(
                "prefix of {} does not accommodate a host numbered {}",
                network.prefix,
                arithmetic::text(wanted)
            ),
        )
    };
    let magnitude = wanted.abs().to_u128().ok_or_else(problem)?;
    let offset = if arithmetic::is_negative(wanted) {
        // The last address is number -1.
        last.checked_sub(magnitude - 1).ok_or_else(problem)?
    } else {
        Some(magnitude)
            .filter(|magnitude| *magnitude <= last)
            .ok_or_else(problem)?
    };
    Ok(Value::string(
        network.address(network.base | offset).to_string(),
    ))
}

fn netmask(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let network = parse(&args)?;
    let all = match network.width {
        32 => u128::from(u32::MAX),
        _ => u128::MAX,
    };
    let mask = all - network.last_of(network.prefix);
    Ok(Value::string(network.address(mask).to_string()))
}

fn subnet(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let network = parse(&args)?;
    let bits = whole(&args, 1)?;
    let prefix = network.longer(bits, 1)?;
    let wanted = number(&args, 2);
    let problem = || {
        FunctionError::argument(
            2,
            format!(
                "prefix extension of {bits} does not accommodate a subnet numbered {}",
                arithmetic::text(wanted)
            ),
        )
    };
    let index = Some(wanted)
        .filter(|n| arithmetic::is_whole(n))
        .and_then(|n| n.to_u128())
        .ok_or_else(problem)?;
    let count_bits = u32::from(prefix - network.prefix);
    if count_bits < 128 && index >> count_bits != 0 {
        return Err(problem());
    }
    let base = network.base | shifted(index, u32::from(network.width - prefix));
    Ok(Value::string(format!("{}/{prefix}", network.address(base))))
}

fn shifted(value: u128, bits: u32) -> u128 {
    value.checked_shl(bits).unwrap_or(0)
}

/// Networks one behind the other, each at the first place where one of its size can start.
fn subnets(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let network = parse(&args)?;
    let end = network.base | network.last_of(network.prefix);
    let mut next = Some(network.base);
    let mut found = Vec::new();
    for at in 1..args.len() {
        let bits = whole(&args, at)?;
        if bits < 1 {
            return Err(FunctionError::argument(
                at,
                "must extend prefix by at least one bit",
            ));
        }
        let prefix = network.longer(bits, at)?;
        let size = network.last_of(prefix);
        let full = || {
            let after = found.last().cloned().unwrap_or_default();
            FunctionError::argument(
                at,
                format!(
                    "not enough remaining address space for a subnet with a prefix of {prefix} bits after {after}"
                ),
            )
        };
        let start = next
            .and_then(|next| next.checked_add(size))
            .ok_or_else(full)?
            & !size;
        if start > end || end - start < size {
            return Err(full());
        }
        next = start.checked_add(size).and_then(|last| last.checked_add(1));
        found.push(format!("{}/{prefix}", network.address(start)));
    }
    Ok(Value::string_list(found))
}
