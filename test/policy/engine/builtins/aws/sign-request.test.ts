import { expect, it } from "vitest";
import { askBoth } from "../ask-both.ts";

const config = `{"aws_service": "s3", "aws_access_key": "A", "aws_secret_access_key": "S", "aws_region": "eu-central-1"}`;
const requests = [
  '{"method": "GET", "url": "https://example.com:8443/a b%20c/%7e?b=2&a=1#f"}',
  '{"method": "post", "url": "http://[::1]:80/", "headers": {"X-A": "1", "x-b": 2, "User-Agent": "u"}, "body": {"b": "<&>", "a": {3, 1}}}',
  '{"method": "put", "url": "http://example.com", "raw_body": "raw", "body": 1}',
  '{"method": "get", "url": "http://example.com/a%2Fb/é"}',
  '{"method": "get", "url": "http://example.com", "unknown": 1}',
  '{"method": "get"}',
  '{"method": "get", "url": "http://a b"}',
];
const configs = [
  config,
  `object.union(${config}, {"aws_service": "glacier", "aws_session_token": "T"})`,
  `object.union(${config}, {"aws_service": "ec2", "disable_payload_signing": true})`,
  `object.union(${config}, {"disable_payload_signing": "true"})`,
  `object.remove(${config}, {"aws_region"})`,
];

it("signs requests as opa does", async () => {
  const calls = requests.flatMap((request) =>
    configs.map((each) => `providers.aws.sign_req(${request}, ${each}, 1451311705123456789)`),
  );
  const early = `providers.aws.sign_req(${requests[0]}, ${config}, -1)`;
  const { ours, opas } = await askBoth([...calls, early]);
  expect(ours).toEqual(opas);
  expect(ours.filter((answer) => answer?.includes("AWS4-HMAC-SHA256")).length).toBe(13);
}, 60_000);
