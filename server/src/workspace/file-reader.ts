/** Files that scenarios name, read by the server itself or, where it reaches none, by the client; never for longer than a moment. */
import type { Found } from '../language/analysis';
import { isNotOpened, MOST_BYTES } from '../language/analysis';
import { fromBase64 } from '../protocol/base64';
import type { ClientRequests } from '../protocol/messages';
import type { Allowed } from './allowed';
import type { Runtime } from './runtime';

/** Milliseconds that a file system has. */
const PATIENCE = 2000;

type ClientReads = (params: ClientRequests['mmu/readFile']['params']) => Promise<ClientRequests['mmu/readFile']['result']>;

export class FileReader {
  /** @param client asks the client; null: it reads none */
  constructor(
    private readonly runtime: Runtime,
    private readonly client: ClientReads | null,
    private readonly allowed: Allowed,
  ) {}

  /** @param document the one whose words name the file */
  async text(uri: string, document: string): Promise<Found<string>> {
    const found = await this.bytes(uri, document);
    return found === null || isNotOpened(found) ? found : new TextDecoder('utf-8', { ignoreBOM: true }).decode(found);
  }

  bytes(uri: string, document: string): Promise<Found<Uint8Array>> {
    return new Promise((resolve, reject) => {
      const late = { notOpened: `is on a file system that did not answer within ${PATIENCE / 1000} s` };
      const cancel = this.runtime.later(() => resolve(late), PATIENCE);
      this.read(uri, document).then(resolve, reject).finally(cancel);
    });
  }

  private async read(uri: string, document: string): Promise<Found<Uint8Array>> {
    const own = await this.runtime.readFile(uri, MOST_BYTES, this.allowed.folders(document));
    if (own !== undefined) return own;
    if (!this.client) return { notOpened: 'cannot be reached from here' };
    const found = await this.client({ uri, most: MOST_BYTES });
    return found === null || 'notOpened' in found ? found : fromBase64(found.base64);
  }
}
