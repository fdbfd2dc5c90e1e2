{{/* The labels that find the pods; they never change, as selectors are immutable. */}}
{{- define "platform.selectorLabels" -}}
app.kubernetes.io/name: urumi
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: server
{{- end }}

{{/* The labels of a pod. helm.sh/chart is left out: a new version of the chart alone restarts nothing. */}}
{{- define "platform.podLabels" -}}
{{ include "platform.selectorLabels" . }}
app.kubernetes.io/version: {{ include "platform.tag" . | splitList "@" | first | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/part-of: urumi
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The labels of an object. */}}
{{- define "platform.labels" -}}
{{ include "platform.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/* The metadata of an object called `urumi` in the release's namespace. */}}
{{- define "platform.metadata" -}}
name: urumi
namespace: {{ .Release.Namespace }}
labels:
  {{- include "platform.labels" . | nindent 2 }}
{{- end }}

{{/* The name of what belongs to no namespace: it tells installations of one cluster apart. */}}
{{- define "platform.clusterName" -}}
urumi-{{ .Release.Namespace }}
{{- end }}

{{/* The metadata of an object that belongs to no namespace. */}}
{{- define "platform.clusterMetadata" -}}
name: {{ include "platform.clusterName" . }}
labels:
  {{- include "platform.labels" . | nindent 2 }}
{{- end }}

{{/* Who the server is to the Kubernetes API, as a subject of a binding. */}}
{{- define "platform.subjects" -}}
- kind: ServiceAccount
  name: urumi
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The tag of the image. */}}
{{- define "platform.tag" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion }}
{{- if hasPrefix "latest" $tag }}
{{- fail (printf "image.tag is %q: expected a fixed version, because \"latest\" changes without notice" $tag) }}
{{- end }}
{{- $tag -}}
{{- end }}

{{/* The image with its tag. */}}
{{- define "platform.image" -}}
{{- $repository := required "image.repository is empty: expected where scripts/images --push put the image, such as registry.example.com/urumi/urumi" .Values.image.repository }}
{{- printf "%s:%s" $repository (include "platform.tag" .) }}
{{- end }}

{{/* What Pod Security "restricted" asks of a pod. */}}
{{- define "platform.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser }}
runAsGroup: {{ .Values.runAsUser }}
fsGroup: {{ .Values.runAsUser }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* What Pod Security "restricted" asks of a container, and more. */}}
{{- define "platform.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{/* The token, from its Secret. */}}
{{- define "platform.tokenEnv" -}}
- name: URUMI_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .Values.token.secretName }}
      key: {{ .Values.token.key }}
{{- end }}

{{/* The Secret of the platform's own certificate: the one that is named, or the one that cert-manager is to fill. */}}
{{- define "platform.tlsSecret" -}}
{{- with .Values.ingress.tls }}
{{- .secretName | default (ternary "urumi-tls" "" (ne .clusterIssuer "")) }}
{{- end }}
{{- end }}

{{/* The metadata of what `helm test` makes: the account before the pod, and all of it gone when the test has passed. */}}
{{- define "platform.testMetadata" -}}
name: urumi-test
namespace: {{ .Release.Namespace }}
labels:
  app.kubernetes.io/name: urumi-test
  app.kubernetes.io/instance: {{ .Release.Name | quote }}
  app.kubernetes.io/part-of: urumi
  app.kubernetes.io/managed-by: {{ .Release.Service }}
annotations:
  helm.sh/hook: test
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
