//! What is read of a document, as types.

use openapi::{Dialect, Document, Location};
use schema::json_schema::OperationTypes;
use schema::types::{Type, TypeDef, TypeDefs};

/// Each operation with its arguments and the types of its schemas.
fn shown(text: &[u8]) -> String {
    let document = Document::read(text).unwrap();
    let mut out = format!("{:?}\n", document.dialect());
    for operation in document.operations().unwrap() {
        let request = document.request(&operation).unwrap();
        let answer = document.answer(&operation).unwrap();
        let (input, output) = (&request.contract.schema, &answer.contract.schema);
        let types = OperationTypes::from_schemas(&operation.name, input, answer.complete.then_some(output));
        let types = types.unwrap_or_else(|error| panic!("{}: {error}", operation.name));
        let place = |location: &Location| format!("{location:?}").to_lowercase();
        let arguments: Vec<String> = request
            .locations
            .iter()
            .map(|(name, location)| format!("{name} in {}", place(location)))
            .collect();
        let media = match (&request.media_type, request.whole_body) {
            (Some(media), true) => format!("; all of {media} is `body`"),
            (Some(media), false) => format!("; {media}"),
            (None, _) => String::new(),
        };
        let form = answer.form.map_or("no body".to_owned(), |form| format!("{form:?}").to_lowercase());
        let complete = if answer.complete { "" } else { ", not described" };
        out.push_str(&format!(
            "\n{}: {} {} {:?}\n  {}{media}\n  -> {} ({form}{complete})\n",
            operation.name,
            operation.method,
            operation.path,
            operation.summary,
            arguments.join(", "),
            types.defs.show(&types.output),
        ));
        out.push_str(&definitions(&types.defs));
    }
    out
}

fn definitions(defs: &TypeDefs) -> String {
    let payload =
        |ty: &Option<Type>| ty.as_ref().map(|ty| format!("({})", defs.show(ty))).unwrap_or_default();
    let line = |def: &TypeDef| match def {
        TypeDef::Record(def) => {
            let fields: Vec<String> =
                def.fields.iter().map(|field| format!("{}: {}", field.name, defs.show(&field.ty))).collect();
            format!("  {} {{ {} }}\n", def.name, fields.join(", "))
        }
        TypeDef::Enum(def) => {
            let variants: Vec<String> = def
                .variants
                .iter()
                .map(|v| format!("{}{} = {}", v.name, payload(&v.payload), v.wire))
                .collect();
            format!("  {} = {}\n", def.name, variants.join(" | "))
        }
    };
    defs.iter().map(|(_, def)| line(def)).collect()
}

#[test]
fn openapi_31_in_yaml() {
    insta::assert_snapshot!(shown(include_bytes!("fixtures/library31.yaml")), @r#"
    OpenApi31

    list_books: GET /books "Books of a shelf, page by page."
      X-Trace in header, filter in query, limit in query, shelf in query
      -> ListBooksOutput (json)
      ListBooksOutput { items: [Book], next: String? }
      Book { title: String(1..), id: String, kind: BookKind, medium: BookMedium?, part_of: Book?, price: Float(5e-324..)? }
      BookKind = Novel = "novel" | Comic = "comic"
      BookMedium = Print(Paper) = "print" | Tape(Audio) = "tape"
      Paper { medium: String, pages: Int? }
      Audio { medium: String, minutes: Int? }
      ListBooksInput { shelf: String, X-Trace: String?, filter: {String: String}?, limit: Int(1..50)? }

    post_books: POST /books "Adds one."
      kind in body, medium in body, part_of in body, price in body, secret in body, shelf in query, title in body; application/json
      -> PostBooksOutput (json)
      PostBooksOutput { id: String?, kind: PostBooksOutputKind?, medium: PostBooksOutputMedium?, part_of: Book?, price: Float(5e-324..)?, ticket: Int?, title: String(1..)? }
      PostBooksOutputKind = Novel = "novel" | Comic = "comic"
      PostBooksOutputMedium = Print(Paper) = "print" | Tape(Audio) = "tape"
      Paper { medium: String, pages: Int? }
      Audio { medium: String, minutes: Int? }
      Book { title: String(1..), id: String, kind: BookKind, medium: BookMedium?, part_of: Book?, price: Float(5e-324..)? }
      BookKind = Novel = "novel" | Comic = "comic"
      BookMedium = Print(Paper) = "print" | Tape(Audio) = "tape"
      PostBooksInput { shelf: String, title: String(1..), secret: String, kind: PostBooksInputKind, medium: PostBooksInputMedium?, part_of: Book2?, price: Float(5e-324..)? }
      PostBooksInputKind = Novel = "novel" | Comic = "comic"
      PostBooksInputMedium = Print(Paper2) = "print" | Tape(Audio2) = "tape"
      Paper2 { medium: String, pages: Int? }
      Audio2 { medium: String, minutes: Int? }
      Book2 { title: String(1..), secret: String, kind: Book2Kind, medium: Book2Medium?, part_of: Book2?, price: Float(5e-324..)? }
      Book2Kind = Novel = "novel" | Comic = "comic"
      Book2Medium = Print(Paper2) = "print" | Tape(Audio2) = "tape"

    delete_book: DELETE /books/{book-id} ""
      book-id in path
      -> Json (no body)
      DeleteBookInput { book-id: String }

    change_tags: PATCH /books/{book-id} ""
      body in body, book-id in path; all of */* is `body`
      -> String(..99) (text)
      ChangeTagsInput { book-id: String, body: [String(..30)]? }

    get_cover: GET /cover ""
      q in query
      -> Bytes (bytes)
      GetCoverInput { q: Kind? }
      Kind = Novel = "novel" | Comic = "comic"

    head_cover: HEAD /cover ""
      
      -> Json (json, not described)
      HeadCoverInput {  }
    "#);
}

#[test]
fn openapi_30_in_json() {
    insta::assert_snapshot!(shown(include_bytes!("fixtures/shop30.json")), @r#"
    OpenApi30

    place_order: POST /orders ""
      amount in body, id in body, note in body; application/vnd.shop+json
      -> PlaceOrderOutput (json)
      PlaceOrderOutput { state: PlaceOrderOutputState?, base: Base? }
      PlaceOrderOutputState = New = "new" | Done = "done"
      Base { id: Int(-2147483648..2147483647) }
      PlaceOrderInput { id: Int(-2147483648..2147483647), amount: Int(1..9), note: String? }

    upload: PUT /upload ""
      body in body, name in query; all of application/octet-stream is `body`
      -> Json (json, not described)
      UploadInput { name: String, body: Bytes? }
    "#);
}

#[test]
fn swagger_20() {
    insta::assert_snapshot!(shown(include_bytes!("fixtures/pets20.yaml")), @r#"
    Swagger2

    find_pets: GET /pets ""
      tags in query, trace in query, weight in query
      -> [Pet] (json)
      Pet { kind: String, owner: String? }
      FindPetsInput { tags: [String](..3)?, trace: Bool?, weight: Float(5e-324..)? }

    add_pet: POST /pets ""
      kind in body, owner in body; application/json
      -> Json (no body)
      AddPetInput { kind: String, owner: String? }

    photo: GET /photos/{id} ""
      id in path
      -> Bytes (bytes)
      PhotoInput { id: Int }

    add_photo: POST /photos/{id} ""
      id in path, photo in body, title in body; multipart/form-data
      -> String (text)
      AddPhotoInput { id: Int, photo: Bytes, title: String? }
    "#);
}

#[test]
fn a_place_in_a_schema_is_told_as_a_place_in_the_document() {
    let document = Document::read(include_bytes!("fixtures/library31.yaml")).unwrap();
    let operations = document.operations().unwrap();
    let list = document.request(operations.first().unwrap()).unwrap().contract;
    assert_eq!(list.locate("#/properties/shelf/maxLength"), "#/components/parameters/Shelf/schema/maxLength");
    assert_eq!(list.locate("#/required"), "#/paths/~1books/get/required");
    let answer = document.answer(operations.first().unwrap()).unwrap().contract;
    assert_eq!(answer.locate("#/$defs/Book/properties/id"), "#/components/schemas/Book/properties/id");
    let schema = "#/paths/~1books/get/responses/200/content/application~1json/schema";
    assert_eq!(answer.locate("#/properties/items/items"), format!("{schema}/properties/items/items"));
    assert_eq!((document.dialect(), document.root().get("info").is_some()), (Dialect::OpenApi31, true));
}

#[test]
fn a_packed_document_is_the_same_document() {
    use std::io::Write as _;
    let plain: &[u8] = include_bytes!("fixtures/library31.yaml");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(plain).unwrap();
    let packed = packer.finish().unwrap();
    assert_eq!(Document::read(&packed).unwrap().root(), Document::read(plain).unwrap().root());
    let damaged = Document::read(packed.get(..packed.len() / 2).unwrap()).unwrap_err();
    assert_eq!(damaged.code, "E1250");
    let bomb = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&vec![b' '; openapi::DOCUMENT_BYTES_MAX + 1]).unwrap();
        packer.finish().unwrap()
    };
    assert!(bomb.len() < 1 << 20);
    assert_eq!(Document::read(&bomb).unwrap_err().code, "E1251");
}
