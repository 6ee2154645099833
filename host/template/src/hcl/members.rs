//! Provisioners and post-processors of a build block: as the block has them, and as one of its
//! sources runs them.
//!
//! Nearly always the two are the same, and are then read once for all sources. Only when `for_each`
//! or `count` uses `source.name` or `source.type` is a block read again for every source.

use std::borrow::Cow;
use std::cell::OnceCell;

use host_diag::{Diagnostics, Span};
use host_eval::Scope;

use crate::hcl::bound::BoundBlock;
use crate::hcl::instances::Reading;
use crate::hcl::scope::add_new;
use crate::model::ComponentKind;

/// What a build block runs: a provisioner or a post-processor.
pub(crate) trait Step: Clone {
    const KIND: ComponentKind;

    /// Reads one block, or one instance of it.
    fn read(block: BoundBlock, scope: &Scope, problems: &mut Diagnostics) -> Self;

    /// Type, place of the type's label, and header.
    fn label(&self) -> (&str, Span, &str);

    /// What the template calls it; empty when it does not.
    fn name(&self) -> &str;
}

/// A step, or the block that makes steps.
#[derive(Debug)]
pub(crate) enum Member<T> {
    /// It is the same for every source.
    Known(T),
    /// Which instances there are follows from the source.
    FollowsSource {
        /// The block.
        block: BoundBlock,
        /// Its header as it reads.
        header: String,
    },
}

/// Reads a block of a build block.
pub(crate) fn members<T: Step>(
    block: BoundBlock,
    scope: &Scope,
    reading: &mut Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Member<T>> {
    if reading.follows_source(&block, T::KIND) {
        let header = block.header_text();
        return vec![Member::FollowsSource { block, header }];
    }
    let made = instances_of(&block, scope, reading, problems);
    made.into_iter().map(Member::Known).collect()
}

/// The instances of a block, or the block itself, as steps.
pub(crate) fn instances_of<T: Step>(
    block: &BoundBlock,
    scope: &Scope,
    reading: &mut Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<T> {
    let made = reading.instances(block.clone(), Some(T::KIND), scope, problems);
    let mut found = Diagnostics::new();
    let read = |block| T::read(block, scope, &mut found);
    let steps = made.into_iter().map(read).collect();
    add_new(found, problems);
    steps
}

impl<T: Step> Member<T> {
    /// Type, place of the type's label, and header.
    pub(crate) fn label(&self) -> (&str, Span, &str) {
        match self {
            Self::Known(step) => step.label(),
            Self::FollowsSource { block, header } => {
                let place = block.labels.first().map(|label| label.span);
                (block.label(0), place.unwrap_or(block.header), header)
            }
        }
    }

    /// What the template calls it; empty when it does not, or when that follows from the source.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Known(step) => step.name(),
            Self::FollowsSource { .. } => "",
        }
    }
}

/// The steps of a build block as one source runs them.
pub(crate) struct Steps<'s, 'c> {
    /// What they can see; rarely of use, so it is made when it is.
    pub(crate) scope: OnceCell<Scope>,
    pub(crate) make_scope: &'s dyn Fn() -> Scope,
    pub(crate) reading: &'s mut Reading<'c>,
    pub(crate) problems: Diagnostics,
}

impl Steps<'_, '_> {
    /// Those of `members`, in their order.
    pub(crate) fn of<'m, T: Step>(&mut self, members: &'m [Member<T>]) -> Vec<Cow<'m, T>> {
        let mut steps = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Member::Known(step) => steps.push(Cow::Borrowed(step)),
                Member::FollowsSource { block, .. } => {
                    let scope = self.scope.get_or_init(self.make_scope);
                    let made = instances_of(block, scope, self.reading, &mut self.problems);
                    steps.extend(made.into_iter().map(Cow::Owned));
                }
            }
        }
        steps
    }
}
