# A server with its model: one process, one port. Of the cluster edition unless EDITION=single is given, which needs no package of Orleans or Azure.
# For an NVIDIA GPU: --build-arg BASE=nvidia/cuda:13.0.1-runtime-ubuntu24.04, which brings the compiler NVRTC; the driver comes from the machine.
ARG BASE=mcr.microsoft.com/dotnet/runtime-deps:10.0

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG EDITION=cluster
WORKDIR /source
COPY Directory.Build.props Directory.Packages.props ./
COPY src src
COPY kernels kernels
RUN orleans=$([ "$EDITION" = single ] && echo false || echo true) \
 && dotnet publish src/Silo/LServe.Silo.csproj -c Release -o /app/server -p:WithOrleans=$orleans \
 && dotnet publish src/Client/Cli/LServe.Cli.csproj -c Release -o /app/cli -p:WithOrleans=$orleans

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS dotnet

FROM ${BASE}
# Neither base has .NET itself.
COPY --from=dotnet /usr/share/dotnet /usr/share/dotnet
ENV PATH="$PATH:/usr/share/dotnet" DOTNET_ROOT=/usr/share/dotnet DOTNET_CLI_TELEMETRY_OPTOUT=1
WORKDIR /app
COPY --from=build /app .
COPY models models
COPY assets assets
COPY container/ready /app/ready
# A number, so that Kubernetes sees that it isn't root's.
RUN mkdir /data && chown 1654:1654 /data && chmod 755 /app/ready
USER 1654:1654
VOLUME /data
# The API and the dashboard; other silos; the cluster's clients.
EXPOSE 8080 11111 30000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/app/ready", "8080"]
ENTRYPOINT ["dotnet", "/app/server/LServe.Silo.dll", "--host", "0.0.0.0", "--port", "8080", "--data", "/data"]
