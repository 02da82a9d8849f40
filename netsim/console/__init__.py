"""A prompt on the simulated cluster: kubectl, and what one types on a machine.

Three steps that know nothing of each other. *Parse*: `language.py` reads the line as a shell does, `flags.py`
the words of a command as kubectl does. *Act*: `api.py` is the API server as a client meets it, and what
happens on machines and in containers is in `machines.py` and `containers.py`. *Print*: `netsim.api.printing`
and the one-line answers that each verb gives. `table.py` names every command once; whoever serves kubectl
otherwise than at this prompt (`netsim get` does) takes the same steps from the same places.

The room is not called `shell` because `netsim.shell` is the function that opens it.
"""
