Hello ${name}!
%{ for x in list ~}
- ${upper(x)}
%{ endfor ~}
