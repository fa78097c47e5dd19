//! The part of a compiled plan that a proof is about: its graph, checked, and the hash of each node.

use plan_ir::graph::{Graph, Node, NodeId, NodeKind, Region};
use schema::hash::{Context, Hash};
use schema::limits::PLAN_NODES_MAX;

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

/// The plan's hash.
#[must_use]
pub fn plan_hash(bytes: &[u8]) -> Hash {
    Context::Plan.hash(&[bytes])
}

impl PlanGraph {
    /// Reads the graph from the bytes of a compiled plan, without a tree of everything else in it.
    ///
    /// # Errors
    /// [`PlanGraphError`] where the bytes are not a plan or its graph is not well formed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanGraphError> {
        let graph = read_graph(bytes)?;
        let shape = Shape::new(&graph)?;
        let node_hashes = graph.nodes.iter().map(node_hash).collect();
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

fn node_hash(node: &Node) -> Hash {
    Context::PlanNode.hash(&[format!("{node:?}").as_bytes()])
}

/// TEMP
pub fn temp_bytes(graph: &Graph) -> Vec<u8> {
    use crate::object::{Writer, encode};
    fn ids(w: &mut Writer, ids: &[NodeId]) {
        w.array(ids.len());
        ids.iter().for_each(|id| w.uint(u64::from(id.0)));
    }
    fn region(w: &mut Writer, r: &Region) {
        w.object(|f| {
            f.put(0, |w| ids(w, &r.nodes));
            f.maybe(1, r.result, |w, id| w.uint(u64::from(id.0)));
        });
    }
    encode(1024, |f| {
        f.put(0, |w| {
            w.array(graph.nodes.len());
            for node in &graph.nodes {
                w.object(|f| {
                    f.uint(0, node.kind as u64);
                    f.text(1, &node.label);
                    f.put(2, |w| ids(w, &node.parents));
                    f.put(3, |w| {
                        w.array(node.regions.len());
                        node.regions.iter().for_each(|r| region(w, r));
                    });
                });
            }
        });
        f.put(1, |w| region(w, &graph.root));
        f.bytes(2, &[7; 32]);
    })
}

fn read_graph(bytes: &[u8]) -> Result<Graph, ObjectError> {
    fn ids(r: &mut Reader<'_>) -> Result<Vec<NodeId>, ObjectError> {
        let n = r.array(PLAN_NODES_MAX, "ids")?;
        (0..n).map(|_| r.u32("id").map(NodeId)).collect()
    }
    fn region(r: &mut Reader<'_>) -> Result<Region, ObjectError> {
        r.object(|f| Ok(Region { nodes: f.get(0, ids)?, result: f.maybe(1, |r| r.u32("id"))?.map(NodeId) }))
    }
    decode(bytes, |f| {
        let nodes = f.get(0, |r| {
            let n = r.array(PLAN_NODES_MAX, "nodes")?;
            (0..n)
                .map(|_| {
                    r.object(|f| {
                        let kind = match f.get(0, |r| r.uint())? {
                            0 => NodeKind::Pure,
                            1 => NodeKind::Ensure,
                            2 => NodeKind::Call,
                            3 => NodeKind::Branch,
                            4 => NodeKind::FanOut,
                            _ => return f.reader.fail(Problem::Range("kind")),
                        };
                        let label = f.get(1, |r| r.text(1 << 16, "label"))?.to_owned();
                        let parents = f.get(2, ids)?;
                        let regions = f.get(3, |r| {
                            let n = r.array(PLAN_NODES_MAX, "regions")?;
                            (0..n).map(|_| region(r)).collect()
                        })?;
                        Ok(Node { kind, label, parents, regions })
                    })
                })
                .collect()
        })?;
        let root = f.get(1, region)?;
        f.get(2, |r| r.bytes(1 << 20, "rest"))?;
        Ok(Graph { nodes, root })
    })
}
