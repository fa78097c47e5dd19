//! The part of plan bytes that every verifier reads.
//!
//! | object | keys |
//! |---|---|
//! | plan | 1 format version, 2 graph, 3 body (octets), 4 library version, 5 hash of the lockfile |
//! | graph | 1 nodes, 2 the plan's own region |
//! | node | 1 kind, 2 label, 3 parents, 4 regions |
//! | region | 1 nodes, 2 result |
//!
//! Kinds: 0 pure, 1 ensure, 2 call, 3 branch, 4 fan-out. Nodes are named by their position.

use schema::ocb::{FieldError, Fields, Item, MapBuilder};

use crate::graph::{Graph, Node, NodeId, NodeKind, Region};

const fn kind_number(kind: NodeKind) -> u64 {
    match kind {
        NodeKind::Pure => 0,
        NodeKind::Ensure => 1,
        NodeKind::Call => 2,
        NodeKind::Branch => 3,
        NodeKind::FanOut => 4,
    }
}

const KINDS: [NodeKind; 5] =
    [NodeKind::Pure, NodeKind::Ensure, NodeKind::Call, NodeKind::Branch, NodeKind::FanOut];

pub(super) fn graph_item(graph: &Graph) -> Item {
    let nodes = graph.nodes.iter().map(node_item).collect::<Vec<_>>();
    MapBuilder::new().with(1, nodes).with(2, region_item(&graph.root)).build()
}

pub(super) fn node_item(node: &Node) -> Item {
    MapBuilder::new()
        .with(1, kind_number(node.kind))
        .with(2, node.label.as_str())
        .with(3, ids_item(&node.parents))
        .with(4, node.regions.iter().map(region_item).collect::<Vec<_>>())
        .build()
}

fn region_item(region: &Region) -> Item {
    let result = region.result.map(|result| result.0);
    MapBuilder::new().with(1, ids_item(&region.nodes)).with_some(2, result).build()
}

fn ids_item(ids: &[NodeId]) -> Item {
    Item::array(ids.iter().map(|id| id.0.into()))
}

pub(super) fn graph(mut fields: Fields) -> Result<Graph, FieldError> {
    let nodes = fields.array(1)?.into_iter().map(node).collect::<Result<_, _>>()?;
    let root = region(fields.item(2)?)?;
    fields.finish()?;
    Ok(Graph { nodes, root })
}

fn node(item: Item) -> Result<Node, FieldError> {
    let mut fields = Fields::of(item)?;
    let kind = KINDS.get(fields.small::<usize>(1)?).copied();
    let node = Node {
        kind: kind.ok_or(FieldError::Kind { key: 1, expected: "a kind of node" })?,
        label: fields.text(2)?,
        parents: ids(&mut fields, 3)?,
        regions: fields.array(4)?.into_iter().map(region).collect::<Result<_, _>>()?,
    };
    fields.finish()?;
    Ok(node)
}

fn region(item: Item) -> Result<Region, FieldError> {
    let mut fields = Fields::of(item)?;
    let region =
        Region { nodes: ids(&mut fields, 1)?, result: fields.optional(2, Fields::small::<u32>)?.map(NodeId) };
    fields.finish()?;
    Ok(region)
}

fn ids(fields: &mut Fields, key: u64) -> Result<Vec<NodeId>, FieldError> {
    let id = |item: Item| match item {
        Item::Uint(id) => u32::try_from(id).ok().map(NodeId),
        _ => None,
    };
    let ids = fields.array(key)?.into_iter().map(id).collect::<Option<_>>();
    ids.ok_or(FieldError::Kind { key, expected: "an array of node ids" })
}
