//! Who contains and who follows whom in a plan, worked out once.

use plan_ir::graph::{NodeId, Region};
use plan_ir::plan::{CompiledPlan, ScopeId};

use super::prepared::{Malformed, NodeFacts, RegionFacts, RegionId, ScopeFacts, malformed};

/// Tables under construction.
pub(super) struct Tables {
    pub(super) regions: Vec<RegionFacts>,
    pub(super) nodes: Vec<Option<NodeFacts>>,
    pub(super) scopes: Vec<ScopeFacts>,
}

impl Tables {
    /// Walks the regions from the root.
    pub(super) fn new(plan: &CompiledPlan) -> Result<Self, Malformed> {
        let count = plan.graph.nodes.len();
        let mut tables =
            Self { regions: Vec::new(), nodes: (0..count).map(|_| None).collect(), scopes: Vec::new() };
        let mut open: Vec<(&Region, Option<NodeId>, Option<RegionId>)> = vec![(&plan.graph.root, None, None)];
        while let Some((region, opener, outer)) = open.pop() {
            let id = RegionId(u32::try_from(tables.regions.len()).unwrap_or(u32::MAX));
            if let Some(opener) = opener.and_then(|node| tables.nodes.get_mut(node.0 as usize)?.as_mut()) {
                opener.regions.push(id);
            }
            for (position, node) in region.nodes.iter().enumerate() {
                let slot = tables.nodes.get_mut(node.0 as usize);
                let Some(slot @ None) = slot else {
                    return Err(malformed(format!("node {} is in no or two regions", node.0)));
                };
                *slot = Some(NodeFacts {
                    region: id,
                    position,
                    children: Vec::new(),
                    regions: Vec::new(),
                    scopes: Vec::new(),
                });
                // Pushed in reverse, so that arms are numbered in order.
                let inner = plan.graph.node(*node).map_or(&[][..], |node| &node.regions);
                open.extend(inner.iter().rev().map(|inner| (inner, Some(*node), Some(id))));
            }
            if !region.result.is_some_and(|result| region.nodes.contains(&result)) {
                return Err(malformed("a region is empty, or its result is not one of its nodes"));
            }
            let (nodes, result) = (region.nodes.clone(), region.result);
            tables.regions.push(RegionFacts { opener, outer, nodes, result, scopes: Vec::new() });
        }
        match tables.nodes.iter().position(Option::is_none) {
            Some(missing) => Err(malformed(format!("node {missing} is in no region"))),
            None => Ok(tables),
        }
    }

    /// Fills in the children.
    pub(super) fn link(&mut self, plan: &CompiledPlan) -> Result<(), Malformed> {
        for (id, node) in (0_u32..).map(NodeId).zip(&plan.graph.nodes) {
            let region = self.region_of(id)?;
            for parent in &node.parents {
                let home = self.region_of(*parent)?;
                if *parent >= id || !self.encloses(home, region) {
                    return Err(malformed(format!("node {} cannot wait for node {}", id.0, parent.0)));
                }
                if home == region
                    && let Some(Some(parent)) = self.nodes.get_mut(parent.0 as usize)
                {
                    parent.children.push(id);
                }
            }
        }
        Ok(())
    }

    /// A scope lives where the node of its smallest id lives: a control node precedes what it contains.
    pub(super) fn place_scopes(&mut self, plan: &CompiledPlan) -> Result<(), Malformed> {
        let scopes = &plan.body.scopes;
        if scopes.is_empty() || plan.body.node_scopes.len() != plan.graph.nodes.len() {
            return Err(malformed("a node belongs to no scope"));
        }
        let mut homes: Vec<Option<RegionId>> = vec![None; scopes.len()];
        let mut counts = vec![0_u32; scopes.len()];
        for (node, scope) in (0_u32..).map(NodeId).zip(&plan.body.node_scopes) {
            let region = self.region_of(node)?;
            let mut next = Some(*scope);
            let mut chain = Vec::new();
            while let Some(id) = next {
                chain.push(id);
                let index = id.0 as usize;
                let (Some(scope), Some(home), Some(count)) =
                    (scopes.get(index), homes.get_mut(index), counts.get_mut(index))
                else {
                    return Err(malformed("a node belongs to a scope that is not there"));
                };
                if *home.get_or_insert(if index == 0 { RegionId::ROOT } else { region }) == region {
                    *count += 1;
                }
                next = scope.parent;
                if next.is_none() != (index == 0) || next.is_some_and(|outer| outer >= id) {
                    return Err(malformed("scopes do not nest"));
                }
            }
            chain.reverse();
            if let Some(Some(facts)) = self.nodes.get_mut(node.0 as usize) {
                facts.scopes = chain;
            }
        }
        for (index, (home, nodes)) in homes.into_iter().zip(counts).enumerate() {
            let home = home.unwrap_or(RegionId::ROOT);
            if let Some(region) = self.regions.get_mut(home.0 as usize) {
                region.scopes.push(ScopeId(u32::try_from(index).unwrap_or(u32::MAX)));
            }
            self.scopes.push(ScopeFacts { home, nodes });
        }
        Ok(())
    }

    fn region_of(&self, node: NodeId) -> Result<RegionId, Malformed> {
        let facts = self.nodes.get(node.0 as usize).and_then(Option::as_ref);
        facts.map(|facts| facts.region).ok_or_else(|| malformed(format!("there is no node {}", node.0)))
    }

    fn encloses(&self, outer: RegionId, inner: RegionId) -> bool {
        let mut next = Some(inner);
        while let Some(region) = next {
            if region == outer {
                return true;
            }
            next = self.regions.get(region.0 as usize).and_then(|region| region.outer);
        }
        false
    }
}
