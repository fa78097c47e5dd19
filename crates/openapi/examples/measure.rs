use std::collections::BTreeMap;
fn main(){
 let mut total=0; let mut ok=0;
 let mut codes: BTreeMap<String,u32>=BTreeMap::new();
 for f in std::env::args().skip(1){
  let bytes=std::fs::read(&f).unwrap();
  let d=match openapi::Document::read(&bytes){Ok(d)=>d,Err(e)=>{println!("{f}: {e}");continue}};
  let ops=match d.operations(){Ok(d)=>d,Err(e)=>{println!("{f}: {e}");continue}};
  let t=std::time::Instant::now();
  for op in &ops{ total+=1;
   let r=d.request(op); let a=d.answer(op);
   match (r,a){
    (Ok(r),Ok(a))=>{
      match schema::json_schema::OperationTypes::from_schemas(&op.name,&r.contract.schema,a.complete.then_some(&a.contract.schema)){
        Ok(_)=>ok+=1,
        Err(e)=>{ *codes.entry(e.code.into()).or_default()+=1;
          let p = if let Some(p)=e.pointer.strip_prefix("output"){a.contract.locate(p)}else{r.contract.locate(e.pointer.strip_prefix("input").unwrap())};
          println!("{} {} {} {} {p}: {}",op.name,op.method,op.path,e.code,e.message)},
      }}
    (r,a)=>{ let e=r.err().or(a.err()).unwrap(); *codes.entry(e.code.into()).or_default()+=1; println!("{} {} {}: {e}",op.name,op.method,op.path)}
   }
  }
  println!("== {f}: {} ops {:?}",ops.len(),t.elapsed());
 }
 println!("{ok}/{total} {codes:?}");
}
