"""A whole plugin for kiln in Python, on nothing but grpcio and the .proto files.

It offers one component of each kind, all called `python`. `wire.py` has the handshake and the end of
the process, `runs.py` the conversation of one run, `options.py` the schema and the checking of options,
`machine.py` the machine that the builder serves, `components.py` what the components do. The folder
with the generated modules has to be in PYTHONPATH.
"""

import sys

import components
import wire

if __name__ == "__main__":
    sys.exit(wire.serve("python", "1.2.0", components.ALL))
