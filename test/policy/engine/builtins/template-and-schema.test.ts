/**
 * `strings.render_template` and the verdicts of `json.match_schema` beside OPA's own evaluator.
 */
import { expect, it } from "vitest";
import { askBoth } from "./ask-both.ts";

const variables = `{"s": "x<y", "n": 5, "f": 1.50, "t": true, "no": false, "nil": null, "e": "",
  "list": ["a", "b", 3], "empty": [], "map": {"k": "v", "a": {"b": "deep"}}, "objects": [{"v": 1}, {"v": 2}]}`;

const templates = [
  "plain",
  "{{.s}} {{.n}} {{.f}} {{.t}} {{.nil}} {{.missing}} {{.list}} {{.map}}",
  "{{.map.a.b}} {{.missing.x.y}}",
  "{{.nil.x}}",
  "{{.s.x}}",
  "{{if .t}}yes{{else}}no{{end}}{{if .no}}1{{else if .s}}2{{else}}3{{end}}{{if .e}}x{{end}}{{if .missing}}x{{end}}",
  "{{range .list}}[{{.}}]{{end}}{{range $i, $v := .list}}{{$i}}={{$v}};{{end}}{{range .empty}}x{{else}}none{{end}}",
  "{{range $k, $v := .map}}{{$k}}:{{$v}} {{end}}",
  "{{range 3}}{{.}}{{end}}",
  "{{range .s}}{{end}}",
  "{{range .objects}}{{.v}}{{if eq .v 1}}!{{end}}{{end}}",
  '{{range .list}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}{{range .list}}{{break}}{{end}}',
  "{{with .map}}{{.k}}{{$.s}}{{end}}{{with .missing}}x{{else}}y{{end}}{{with .e}}{{else with .s}}{{.}}{{end}}",
  '{{$x := .s}}{{$x}}{{$x = "z"}}{{$x}}{{if true}}{{$x = "w"}}{{$y := 1}}{{end}}{{$x}}',
  "{{$undefined}}",
  '{{.s | printf "%s-%v" .n}} {{printf "%q %5s|%d %.2f" .s "a" 7 1.5}}',
  '{{print 1 2 "a" "b" 3}} {{println "x" 1}}{{len .list}} {{len .s}} {{len .map}}',
  '{{index .list 1}} {{index .map "k"}} {{index .map "none"}} {{index .map "a" "b"}}',
  "{{index .list 9}}",
  "{{slice .s 1 2}} {{slice .list 1}}",
  '{{eq .s "x<y" }} {{ne .s "a"}} {{eq 1 1}} {{lt 1 2}} {{ge 2.5 2.5}} {{eq .s "a" "x<y"}} {{eq .nil .missing}}',
  "{{eq .n 5}}",
  "{{eq .list .list}}",
  "{{lt .n .f}}",
  "{{and .t .s}} {{and .no .boom.x}} {{or .e .s}} {{or .e .no}} {{not .t}}",
  '{{html .s}} {{js "a\'b<"}} {{urlquery "a b&"}} {{.s | html}}',
  "{{- .s -}}  x  {{- /* note */ -}}  y {{/* note */}}z",
  "a {{- 3}} b",
  '{{define "t"}}<{{.}}>{{end}}{{template "t" .s}}{{template "t"}}{{block "b" .n}}({{.}}){{end}}',
  '{{template "none"}}',
  '{{(index .objects 0).v}} {{(print "a")}} {{`raw"`}} {{\'a\'}} {{0x10}} {{1.5}} {{-3}} {{1e3}}',
  "{{true}} {{nil}}",
  "{{.s 1}}",
  "{{.s",
  "{{end}}",
  "{{if}}{{end}}",
  "{{if .t}}",
  "{{nosuch 1}}",
  "{{break}}",
  '}} {{"}}"}} {{"\\n\\u00e9"}}',
  "{{.n.x}}",
  "{{print nil}}",
  "{{len 3}}",
  "{{call .s}}",
  "{{range $i, $e := .map}}{{$i}}{{end}}{{len (slice .list 0 2)}}",
];

it("renders templates as opa does", async () => {
  const asked = templates.map(
    (template) =>
      `strings.render_template(${JSON.stringify(template)}, ${variables.replaceAll("\n", "")})`,
  );
  const { ours, opas } = await askBoth(asked);
  const different = templates.flatMap((template, place) =>
    ours[place] === opas[place] ? [] : [`${template}: ${ours[place]} instead of ${opas[place]}`],
  );
  expect(different).toEqual([]);
  expect(opas.filter((answer) => answer !== undefined).length).toBeGreaterThan(20);
}, 120_000);

const schemas = [
  '{"type": "integer"}',
  '{"type": ["string", "null"]}',
  '{"type": "number", "minimum": 1, "maximum": 3}',
  '{"exclusiveMinimum": 1, "multipleOf": 0.5}',
  '{"minimum": 1, "exclusiveMinimum": true}',
  '{"exclusiveMinimum": true}',
  '{"minLength": 2, "maxLength": 3, "pattern": "^a"}',
  '{"pattern": "("}',
  '{"pattern": "(?=a)"}',
  '{"enum": [1, "a", {"x": 1.0}]}',
  '{"enum": [1, 1.0]}',
  '{"const": {"x": 1}}',
  '{"items": {"type": "integer"}, "minItems": 1, "uniqueItems": true}',
  '{"items": [{"type": "integer"}], "additionalItems": false}',
  '{"contains": {"type": "string"}}',
  '{"required": ["x"], "properties": {"x": {"type": "integer"}}, "additionalProperties": false}',
  '{"patternProperties": {"^x": {"type": "string"}}, "additionalProperties": {"type": "null"}}',
  '{"propertyNames": {"maxLength": 1}, "minProperties": 1, "maxProperties": 1}',
  '{"dependencies": {"x": ["y"]}}',
  '{"dependencies": {"x": {"required": ["y"]}}}',
  '{"anyOf": [{"type": "string"}, {"type": "integer"}]}',
  '{"oneOf": [{"type": "number"}, {"type": "integer"}]}',
  '{"allOf": [{"minimum": 2}, {"maximum": 2}]}',
  '{"not": {"type": "object"}}',
  '{"if": {"type": "object"}, "then": {"required": ["y"]}, "else": false}',
  '{"definitions": {"d": {"type": "integer"}}, "$ref": "#/definitions/d"}',
  '{"properties": {"x": {"$ref": "#"}}, "type": ["object", "integer"]}',
  '{"definitions": {"d": {"$id": "#here", "type": "integer"}}, "$ref": "#here"}',
  '{"$id": "http://a.example/s", "definitions": {"d": {"$id": "t", "type": "string"}}, "$ref": "t"}',
  '{"$ref": "#/definitions/none"}',
  '{"$schema": "http://json-schema.org/draft-04/schema#", "const": 1, "minimum": 1, "exclusiveMinimum": true}',
  '{"format": "date-time"}',
  '{"format": "email"}',
  '{"format": "ipv4"}',
  '{"format": "uri"}',
  '{"format": "hostname"}',
  '{"format": "uuid"}',
  '{"format": "nobody-knows"}',
  '{"type": "unknown"}',
  '{"minLength": -1}',
  '{"required": "x"}',
  '"true"',
  '"{\\"type\\": \\"object\\"}"',
  '"{"',
];
const documents = [
  '"1"',
  '"3"',
  '"1.5"',
  '"12345678901234567890"',
  '"null"',
  '"\\"a\\""',
  '"\\"ab\\""',
  '"\\"2024-01-01T00:00:00Z\\""',
  '"\\"a@b.example\\""',
  '"\\"1.2.3.4\\""',
  '"\\"http://h/\\""',
  '"[]"',
  '"[1, 1.0]"',
  '"[1, \\"a\\"]"',
  "{}",
  '{"x": 1}',
  '{"x": {"x": 1.0}, "y": null}',
  '{"x": "s", "xy": 2}',
];

it("judges schemas and values as opa does", async () => {
  const matches = schemas.flatMap((schema) =>
    documents.map((document) => `json.match_schema(${document}, ${schema})[0]`),
  );
  const asked = [...matches, ...schemas.map((schema) => `json.verify_schema(${schema})[0]`)];
  const { ours, opas } = await askBoth(asked);
  const different = asked.flatMap((each, place) =>
    ours[place] === opas[place] ? [] : [`${each}: ${ours[place]} instead of ${opas[place]}`],
  );
  expect(different).toEqual([]);
  expect(new Set(opas)).toEqual(new Set(["true", "false", undefined]));
}, 120_000);
