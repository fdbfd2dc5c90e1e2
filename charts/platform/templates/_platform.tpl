{{/* The labels that select the pods; they never change, because selectors are immutable. */}}
{{- define "platform.selectorLabels" -}}
app.kubernetes.io/name: urumi
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: server
{{- end }}

{{/* The labels of a pod. helm.sh/chart is omitted, so that a new chart version alone does not restart the pods. */}}
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

{{/* The name of cluster-scoped objects, unique to the installation. */}}
{{- define "platform.clusterName" -}}
urumi-{{ .Release.Namespace }}
{{- end }}

{{/* The metadata of a cluster-scoped object. */}}
{{- define "platform.clusterMetadata" -}}
name: {{ include "platform.clusterName" . }}
labels:
  {{- include "platform.labels" . | nindent 2 }}
{{- end }}

{{/* The server's ServiceAccount as the subject of a binding. */}}
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
{{- $repository := required "image.repository is empty: expected the image that scripts/images --push pushed, such as registry.example.com/urumi/urumi" .Values.image.repository }}
{{- printf "%s:%s" $repository (include "platform.tag" .) }}
{{- end }}

{{/* The pod settings that Pod Security "restricted" requires. */}}
{{- define "platform.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser }}
runAsGroup: {{ .Values.runAsUser }}
fsGroup: {{ .Values.runAsUser }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The container settings that Pod Security "restricted" requires, and a read-only root file system. */}}
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

{{/* The Secret with the platform's certificate: the named one, or the one that cert-manager fills. */}}
{{- define "platform.tlsSecret" -}}
{{- with .Values.ingress.tls }}
{{- .secretName | default (ternary "urumi-tls" "" (ne .clusterIssuer "")) }}
{{- end }}
{{- end }}

{{/* The metadata of the objects of `helm test`, which are deleted after the test has passed. */}}
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
