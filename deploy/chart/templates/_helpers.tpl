{{- define "summitry.labels" -}}
app: summitry
app.kubernetes.io/name: summitry
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* A length of time as the configuration writes it (`7d`, `1h30m`, or a number of seconds), in milliseconds. */}}
{{- define "summitry.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 }}
{{- $parts := regexFindAll "[0-9]+(ms|[wdhms])" (toString .) -1 }}
{{- $total := ternary 0 (mul (int64 .) 1000) (gt (len $parts) 0) }}
{{- range $parts }}
{{- $total = add $total (mul (regexFind "^[0-9]+" . | int64) (index $units (regexFind "[a-z]+$" .))) }}
{{- end }}
{{- $total }}
{{- end }}

{{/* The pod of one part: (dict "part" NAME "args" LIST "port" NUMBER "resources" MAP "archive" BOOL "top" $). */}}
{{- define "summitry.pod" -}}
terminationGracePeriodSeconds: 30
automountServiceAccountToken: false
securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
{{- if eq .part "topics" }}
restartPolicy: OnFailure
{{- else if not .archive }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {matchLabels: {app: summitry, part: {{ .part }}}}
{{- end }}
containers:
  - name: {{ .part }}
    image: "{{ .top.Values.image.repository }}:{{ .top.Values.image.tag | default .top.Chart.AppVersion }}"
    imagePullPolicy: {{ .top.Values.image.pullPolicy }}
    args: {{ toJson .args }}
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    resources: {{ toJson .resources }}
    {{- if .port }}
    ports: [{name: web, containerPort: {{ .port }}}]
    startupProbe: {httpGet: {path: /live, port: web}, periodSeconds: 2, failureThreshold: 150}
    readinessProbe: {httpGet: {path: /ready, port: web}, periodSeconds: 5}
    livenessProbe: {httpGet: {path: /live, port: web}, periodSeconds: 15, failureThreshold: 4}
    {{- end }}
    volumeMounts:
      - {name: config, mountPath: /etc/summitry, readOnly: true}
      - {name: secrets, mountPath: /run/secrets, readOnly: true}
      - {name: tmp, mountPath: /tmp}
      {{- if .archive }}
      - {name: archive, mountPath: /var/lib/summitry}
      {{- end }}
volumes:
  - {name: config, configMap: {name: {{ .config }}}}
  - {name: secrets, secret: {secretName: {{ .top.Values.secret }}, optional: true}}
  - {name: tmp, emptyDir: {}}
{{- end }}
