export default function EraseTab() {
  return <section />;
}
