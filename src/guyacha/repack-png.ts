// Makes a PNG a third smaller: the renderer packs its pixels for speed, but a picture is sent far more often than made.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE_BYTES = 8;
/** Length before a chunk's type and data, checksum after them. */
const FIELD_BYTES = 4;

/** The same picture with its pixel data packed again. `png` is one that a renderer made, not one from outside. */
export function repackPng(png: Buffer): Buffer {
  const before: Buffer[] = [png.subarray(0, SIGNATURE_BYTES)];
  const packed: Buffer[] = [];
  const after: Buffer[] = [];
  for (let start = SIGNATURE_BYTES; start < png.length;) {
    const dataStart = start + 2 * FIELD_BYTES;
    const dataEnd = dataStart + png.readUInt32BE(start);
    const end = dataEnd + FIELD_BYTES;
    const isPixels = png.toString('latin1', start + FIELD_BYTES, dataStart) === 'IDAT';
    if (isPixels) packed.push(png.subarray(dataStart, dataEnd));
    else (packed.length === 0 ? before : after).push(png.subarray(start, end));
    start = end;
  }
  const pixels = inflateSync(Buffer.concat(packed));
  return Buffer.concat([...before, chunk('IDAT', deflateSync(pixels, { level: 6 })), ...after]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const fields = Buffer.alloc(2 * FIELD_BYTES);
  fields.writeUInt32BE(data.length, 0);
  fields.writeUInt32BE(crc32(body), FIELD_BYTES);
  return Buffer.concat([fields.subarray(0, FIELD_BYTES), body, fields.subarray(FIELD_BYTES)]);
}
