/** HEIC is named because some systems do not count it among the images. */
const ACCEPTED = 'image/*,.heic,.heif';

/** Opens the system's file dialog. */
export function pickFiles(onPicked: (files: File[]) => void): void {
  open(true, onPicked);
}

export function pickFile(onPicked: (file: File) => void): void {
  open(false, ([file]) => file && onPicked(file));
}

function open(isMultiple: boolean, onPicked: (files: File[]) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = isMultiple;
  input.accept = ACCEPTED;
  input.onchange = () => onPicked([...(input.files ?? [])]);
  input.click();
}
