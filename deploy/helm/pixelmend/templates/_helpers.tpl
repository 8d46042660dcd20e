{{- define "pixelmend.name" -}}
{{- if contains "pixelmend" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-pixelmend" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "pixelmend.selector" -}}
app.kubernetes.io/name: pixelmend
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pixelmend.labels" -}}
{{ include "pixelmend.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
