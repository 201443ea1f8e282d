/** Where the console begins. */
import { render } from "preact";

function Console() {
  return (
    <main>
      <h1>paygate console</h1>
    </main>
  );
}

render(<Console />, document.getElementById("console")!);
