//! The part of a compiled plan that a proof is about: its graph, checked, and the hash of each node.

use plan_ir::graph::{Graph, Node, NodeId, NodeKind, Region};
use plan_ir::plan::IR_VERSION;
use plan_ir::topology::PLAN_EDGES_MAX;
use schema::hash::{Context, Hash};
use schema::limits::PLAN_NODES_MAX;

use crate::limits::PLAN_BYTES_MAX;
use crate::object::{ObjectError, Problem, Reader, decode};
use crate::shape::{Shape, ShapeError};

/// A plan as producer and verifier see it. Prepare it once per plan, not once per run.
#[derive(Clone, Debug)]
pub struct PlanGraph {
    /// Hash of the plan's bytes.
    pub hash: Hash,
    /// Its checked graph.
    pub shape: Shape,
    node_hashes: Vec<Hash>,
    labels: Vec<String>,
}

/// Bytes that are not a compiled plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanGraphError {
    /// They are not the encoding of one.
    #[error("the plan's bytes cannot be read: {0}")]
    Encoding(#[from] ObjectError),
    /// Its graph breaks a rule.
    #[error("the plan's graph is not well formed: {0}")]
    Shape(#[from] ShapeError),
}

pub use plan_ir::bytes::plan_hash;

impl PlanGraph {
    /// Reads the graph from the bytes of a compiled plan, without a tree of everything else in it.
    ///
    /// # Errors
    /// [`PlanGraphError`] where the bytes are not a plan or its graph is not well formed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanGraphError> {
        let (graph, node_hashes) = read_graph(bytes)?;
        let shape = Shape::new(&graph)?;
        let labels = graph.nodes.into_iter().map(|node| node.label).collect();
        Ok(Self { hash: plan_hash(bytes), shape, node_hashes, labels })
    }

    /// The hash of the node `id` in the graph.
    #[must_use]
    pub fn node_hash(&self, id: NodeId) -> Option<Hash> {
        self.node_hashes.get(id.0 as usize).copied()
    }

    /// The label of the node `id`.
    #[must_use]
    pub fn label(&self, id: NodeId) -> Option<&str> {
        self.labels.get(id.0 as usize).map(String::as_str)
    }

    /// How messages name an instance of a node: `label#id[i][j]`.
    #[must_use]
    pub fn name(&self, id: NodeId, iteration: &[u32]) -> String {
        let label: String = self.label(id).unwrap_or_default().chars().take(64).collect();
        let indices: String = iteration.iter().map(|index| format!("[{index}]")).collect();
        format!("{label}#{}{indices}", id.0)
    }
}

/// A graph with the hash of each node, taken of the node's bytes as the plan carries them.
type HashedGraph = (Graph, Vec<Hash>);

/// Reads a compiled plan as far as its graph; the layout is that of [`plan_ir::bytes`]. That module
/// decodes to a tree, whose size a hostile plan could make a hundred times its own, so a verifier reads
/// the graph here.
fn read_graph(bytes: &[u8]) -> Result<HashedGraph, ObjectError> {
    crate::object::limit(bytes, PLAN_BYTES_MAX, "the size of a plan")?;
    let mut budget = Budget { region_nodes: PLAN_NODES_MAX, edges: PLAN_EDGES_MAX };
    decode(bytes, |fields| {
        fields.get(1, |r| match r.uint()? {
            version if version == u64::from(IR_VERSION) => Ok(()),
            _ => r.fail(Problem::Range("the version of the plan's format")),
        })?;
        let (nodes, hashes, root) = fields.get(2, |r| {
            r.object(|fields| {
                let (nodes, hashes) = fields.get(1, |r| budget.read_nodes(r))?;
                Ok((nodes, hashes, fields.get(2, |r| budget.read_region(r))?))
            })
        })?;
        fields.get(3, |r| r.bytes(PLAN_BYTES_MAX, "the size of a plan's body"))?;
        fields.get(4, |r| r.u32("the version of the library"))?;
        fields.get(5, |r| r.fixed::<32>())?;
        Ok((Graph { nodes, root }, hashes))
    })
}

/// What a well-formed graph can have at most, so that reading any other ends early.
struct Budget {
    /// Nodes in all regions together: a node is in one region.
    region_nodes: usize,
    edges: usize,
}

impl Budget {
    fn read_nodes(&mut self, reader: &mut Reader<'_>) -> Result<(Vec<Node>, Vec<Hash>), ObjectError> {
        let count = reader.array(PLAN_NODES_MAX, "the number of nodes")?;
        let (mut nodes, mut hashes) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (node, bytes) = reader.span(|r| self.read_node(r))?;
            hashes.push(Context::PlanNode.hash(&[bytes]));
            nodes.push(node);
        }
        Ok((nodes, hashes))
    }

    fn read_node(&mut self, reader: &mut Reader<'_>) -> Result<Node, ObjectError> {
        reader.object(|fields| {
            let kind = fields.get(1, |r| match r.uint()? {
                0 => Ok(NodeKind::Pure),
                1 => Ok(NodeKind::Ensure),
                2 => Ok(NodeKind::Call),
                3 => Ok(NodeKind::Branch),
                4 => Ok(NodeKind::FanOut),
                _ => r.fail(Problem::Range("the kind of a node")),
            })?;
            let label = fields.get(2, |r| r.text(PLAN_BYTES_MAX, "the length of a label"))?.to_owned();
            let parents = fields.get(3, |r| read_ids(r, &mut self.edges))?;
            let regions = fields.get(4, |r| {
                let count = r.array(self.region_nodes, "the number of regions")?;
                (0..count).map(|_| self.read_region(r)).collect()
            })?;
            Ok(Node { kind, label, parents, regions })
        })
    }

    fn read_region(&mut self, reader: &mut Reader<'_>) -> Result<Region, ObjectError> {
        reader.object(|fields| {
            let nodes = fields.get(1, |r| read_ids(r, &mut self.region_nodes))?;
            fields.check(!nodes.is_empty(), "a region of no node")?;
            Ok(Region { nodes, result: fields.maybe(2, |r| r.u32("the id of a node"))?.map(NodeId) })
        })
    }
}

fn read_ids(reader: &mut Reader<'_>, left: &mut usize) -> Result<Vec<NodeId>, ObjectError> {
    let count = reader.array(*left, "the number of nodes or edges")?;
    *left -= count;
    (0..count).map(|_| reader.u32("the id of a node").map(NodeId)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_here_is_what_the_plan_s_own_decoder_reads() {
        let leaf = |kind, label: &str, parents: &[u32]| Node {
            kind,
            label: label.to_owned(),
            parents: parents.iter().copied().map(NodeId).collect(),
            regions: Vec::new(),
        };
        let region = |ids: &[u32]| Region {
            nodes: ids.iter().copied().map(NodeId).collect(),
            result: ids.last().copied().map(NodeId),
        };
        let mut each = leaf(NodeKind::FanOut, "each", &[0]);
        each.regions = vec![region(&[3])];
        let mut either = leaf(NodeKind::Branch, "either.of.them", &[]);
        either.regions = vec![region(&[4]), region(&[5])];
        let graph = Graph {
            nodes: vec![
                leaf(NodeKind::Call, "list", &[]),
                each,
                leaf(NodeKind::Ensure, "", &[0, 1]),
                either,
                leaf(NodeKind::Pure, "a", &[0]),
                leaf(NodeKind::Pure, "b", &[]),
            ],
            root: region(&[0, 1, 2]),
        };
        let bytes = outline_bytes(&graph);
        let outline = plan_ir::bytes::decode_outline(&bytes).unwrap();
        assert_eq!(outline.graph, graph);
        let (read, hashes) = read_graph(&bytes).unwrap();
        assert_eq!(read, graph);
        let expected: Vec<Hash> = graph.nodes.iter().map(plan_ir::bytes::node_hash).collect();
        assert_eq!(hashes, expected);
        assert_eq!(plan_hash(&bytes), plan_ir::bytes::plan_hash(&bytes));
        for end in 0..bytes.len() {
            assert!(read_graph(&bytes[..end]).is_err());
        }
    }

    /// A plan with this graph and a body nobody opens.
    fn outline_bytes(graph: &Graph) -> Vec<u8> {
        use schema::ocb::{Item, MapBuilder, Profile};
        let nodes = graph
            .nodes
            .iter()
            .map(|node| Item::decode(&plan_ir::bytes::node_bytes(node), Profile::Proof).unwrap());
        let ids = Item::array(graph.root.nodes.iter().map(|id| id.0.into()));
        let result = graph.root.result.map(|id| id.0);
        let root = MapBuilder::new().with(1, ids).with_some(2, result).build();
        let graph = MapBuilder::new().with(1, Item::array(nodes)).with(2, root).build();
        let plan = MapBuilder::new().with(1, IR_VERSION).with(2, graph).with(3, b"body".to_vec());
        let plan = plan.with(4, plan_ir::plan::LIBRARY_VERSION).with(5, Hash([7; 32]));
        plan.build().encode(Profile::Proof).unwrap()
    }
}
