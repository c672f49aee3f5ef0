import { createHmac, timingSafeEqual } from 'node:crypto';

import { SIGNATURE_TOLERANCE_SECONDS } from '../constants';
import { type Result, err, ok } from '../result';

export type SignatureError = 'malformed' | 'expired' | 'mismatch';

export interface ParsedSignature {
  readonly timestamp: number;
  readonly signatures: readonly string[];
}

/** The hexadecimal HMAC of a body sent at a time (in seconds). */
export function computeSignature(secret: string, timestamp: number, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

/** The header that goes with a body; while a secret is being replaced, signed with both. */
export function signatureHeader(secrets: readonly string[], timestamp: number, body: string): string {
  const parts = secrets.map((secret) => `v1=${computeSignature(secret, timestamp, body)}`);
  return [`t=${timestamp}`, ...parts].join(',');
}

/** Reads `t=…,v1=…,v1=…`; versions that are not known are passed over. */
export function parseSignature(header: string): Result<ParsedSignature, SignatureError> {
  let timestamp: number | undefined;
  const signatures: string[] = [];
  for (const part of header.split(',')) {
    const [name, value] = part.trim().split('=', 2);
    if (!name || value === undefined) {
      return err('malformed');
    }
    if (name === 't') {
      if (timestamp !== undefined || !/^\d{1,12}$/.test(value)) {
        return err('malformed');
      }
      timestamp = Number(value);
    } else if (name === 'v1' && /^[0-9a-f]{64}$/.test(value)) {
      signatures.push(value);
    }
  }
  if (timestamp === undefined || signatures.length === 0) {
    return err('malformed');
  }
  return ok({ timestamp, signatures });
}

/** Checks that a body comes from someone who knows the secret, and that it is recent. */
export function verifySignature(
  secret: string,
  header: string,
  body: string,
  nowSeconds: number,
  tolerance: number = SIGNATURE_TOLERANCE_SECONDS,
): Result<ParsedSignature, SignatureError> {
  const parsed = parseSignature(header);
  if (!parsed.ok) {
    return parsed;
  }
  const { timestamp, signatures } = parsed.value;
  if (Math.abs(nowSeconds - timestamp) > tolerance) {
    return err('expired');
  }
  const expected = Buffer.from(computeSignature(secret, timestamp, body), 'hex');
  let matched = false;
  for (const signature of signatures) {
    matched = timingSafeEqual(expected, Buffer.from(signature, 'hex')) || matched;
  }
  return matched ? parsed : err('mismatch');
}
