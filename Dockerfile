# The single-machine server with its model: one process, one port, one volume.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY Directory.Build.props Directory.Packages.props ./
COPY src src
COPY kernels kernels
RUN dotnet publish src/Silo/LServe.Silo.csproj -c Release -o /app/server \
 && dotnet publish src/Client/Cli/LServe.Cli.csproj -c Release -o /app/cli

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
COPY models models
COPY assets assets
RUN mkdir /data && chown "$APP_UID" /data
USER $APP_UID
VOLUME /data
EXPOSE 8080
# The client exits with an error unless the server answers it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["dotnet", "/app/cli/LServe.Cli.dll", "sessions", "list"]
ENTRYPOINT ["dotnet", "/app/server/LServe.Silo.dll", "--host", "0.0.0.0", "--port", "8080", "--data", "/data", "--session-dir", "/data/sessions"]
