export default function (component) {
  const button = component.parentElement.querySelector("button");
  button.onclick = () => window.print();
}
