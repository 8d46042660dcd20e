export default function SystemTab() {
  return <section />;
}
