import { resultName } from '../../files/names';
import { saveBlob } from '../../lib/save';
import type { ProcessResult } from '../../processing/processor';
import type { QueueItem } from '../../state/queue';

export function saveResult({ fileName, result }: QueueItem): void {
  if (result) saveBlob(result.blob, nameOfResult(fileName, result));
}

export function nameOfResult(fileName: string, { blob, width, height }: ProcessResult): string {
  return resultName(fileName, { widthPx: width, heightPx: height }, blob.type);
}
