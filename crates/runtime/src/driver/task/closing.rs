//! The end of a run: its rows, its proof, and the answers that later runs may use.

use std::sync::Arc;

use proof::builder::BuildError;
use proof::limits::BUNDLE_BYTES_MAX;
use schema::error::PlanError;
use schema::hash::Hash;
use schema::price::PriceBasis;
use store::Append;

use super::Task;
use crate::answers::{self, Answered};
use crate::core::{End, Finished};
use crate::prover::Proven;
use crate::view::RunState;
use crate::{rows, told};

/// Facts from which on a proof is finished off the event loop.
const LARGE_PROOF_FACTS: usize = 2_000;

/// The result of a run cannot be written as JSON.
const RESULT_UNWRITABLE: &str = "E1166";

impl Task {
    /// Adds the run's end to `append`: its rows and its proof.
    pub(super) async fn close(&mut self, append: Append, finished: Finished) -> Append {
        let Finished { end, costs, total } = finished;
        let prepared = Arc::clone(&self.plan.prepared);
        let body = &prepared.plan.body;
        let written = match &end {
            End::Succeeded(value) => schema::encode::to_json(value, &body.output, &body.types).map(Some),
            End::Failed(_) | End::Cancelled => Ok(None),
        };
        let (end, result_json) = match written {
            Ok(result_json) => (end, result_json),
            Err(error) => (End::Failed(unwritable(&error)), None),
        };
        self.run.result_json = result_json;
        self.run.ended_at_us = Some(self.core.now_us());
        self.run.total = total;
        self.run.costs = costs.iter().map(|cost| told::cost_row(&prepared, cost)).collect();
        let certain =
            |row: &crate::view::CostRow| matches!(row.basis, PriceBasis::Known | PriceBasis::Observed);
        self.run.total_certain = self.run.costs.iter().all(certain);
        self.run.state = match &end {
            End::Succeeded(_) => RunState::Succeeded,
            End::Failed(_) => RunState::Failed,
            End::Cancelled => RunState::Cancelled,
        };
        let proven = self.prove(&end).await;
        if let End::Failed(error) = end {
            self.run.error = Some(error);
        }
        let (proof, found) = proven.unzip();
        let append = rows::close(append, &self.tenant, &self.run, proof);
        let (services, now_us) = (&self.shared.services, self.core.now_us());
        answers::keep(append, services, &prepared, &self.tenant, found.unwrap_or_default(), now_us).await
    }

    /// The bundle of the run's proof, and the answers that point to it. A run that cannot be proven still ends; it has no proof then.
    async fn prove(&mut self, end: &End) -> Option<(Vec<u8>, Vec<(Answered, Hash)>)> {
        let prover = self.prover.take()?;
        let (key, end, at_us) = (Arc::clone(&self.shared.services.key), end.clone(), self.core.now_us());
        let signs_later = self.shared.services.signs_later();
        let make = move || {
            let Proven { mut bundle, answers } = prover.finish(&end, at_us)?;
            if !signs_later {
                bundle.sign(&key)?;
            }
            let bytes = bundle.to_bytes();
            if bytes.len() > BUNDLE_BYTES_MAX {
                let why =
                    format!("its bundle would have {} bytes, of {BUNDLE_BYTES_MAX} at most", bytes.len());
                return Err(BuildError::Run(why));
            }
            Ok((proof::statement::proof_id(&bundle.statement), bytes, answers))
        };
        let made = if self.facts_seen < LARGE_PROOF_FACTS {
            make()
        } else {
            match tokio::task::spawn_blocking(make).await {
                Ok(made) => made,
                Err(error) => Err(BuildError::Run(error.to_string())),
            }
        };
        match made {
            Ok((id, bytes, answers)) => {
                self.run.proof_id = Some(id);
                Some((bytes, answers))
            }
            Err(error) => {
                tracing::error!(run = %self.run.id, %error, "no proof could be made");
                None
            }
        }
    }
}

fn unwritable(error: &schema::encode::EncodeError) -> PlanError {
    PlanError {
        code: RESULT_UNWRITABLE.into(),
        message: format!("the result cannot be written as JSON: {error}"),
        node: None,
        span: None,
        call: None,
    }
}
